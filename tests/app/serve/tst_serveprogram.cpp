// SPDX-License-Identifier: MIT
#include "tests/app/serve/fakemanager.h"
#include "tests/app/serve/httpclient.h"

#include <QFile>
#include <QJsonDocument>
#include <QLocalSocket>
#include <QProcess>
#include <QRegularExpression>
#include <QSocketNotifier>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;

const QByteArray askForHealth = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// `isol8 serve` in an empty folder, where no Docker answers.
class Program {
public:
    Program()
    {
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert(u"HOME"_s, dir.path());
        environment.insert(u"ISOL8_API_KEY"_s, u"master-key-of-the-test"_s);
        environment.insert(u"DOCKER_HOST"_s, u"unix:///nonexistent/docker.sock"_s);
        process.setProcessEnvironment(environment);
        process.setWorkingDirectory(dir.path());
        QObject::connect(&process, &QProcess::readyReadStandardError, &process,
            [this] { said += process.readAllStandardError(); });
        QObject::connect(&process, &QProcess::readyReadStandardOutput, &process,
            [this] { out += process.readAllStandardOutput(); });
    }
    ~Program()
    {
        process.kill();
        process.waitForFinished(patience);
    }
    Q_DISABLE_COPY_MOVE(Program)

    void setVariable(const QString& name, const QByteArray& value)
    {
        auto environment = process.processEnvironment();
        environment.insert(name, QString::fromLocal8Bit(value));
        process.setProcessEnvironment(environment);
    }
    /// With @p sockets as descriptors 3, 4, … when there are any.
    void start(const QStringList& arguments, const QList<int>& sockets = {})
    {
        // A test that runs in the background ignores some signals, and its children would too.
        process.setChildProcessModifier([sockets] {
            for (const int number : { SIGINT, SIGHUP, SIGTERM })
                std::signal(number, SIG_DFL);
            constexpr int outOfTheWay = 100;
            for (const int socket : sockets)
                ::fcntl(socket, F_DUPFD, outOfTheWay);
            for (int i = 0; i < sockets.size(); ++i)
                ::dup2(outOfTheWay + i, 3 + i);
        });
        const auto launcher = sockets.isEmpty()
            ? u"exec \"$0\" serve \"$@\""_s
            : u"export LISTEN_PID=$$ LISTEN_FDS=%1; exec \"$0\" serve \"$@\""_s.arg(sockets.size());
        process.start(u"/bin/bash"_s,
            QStringList { u"-c"_s, launcher, QStringLiteral(ISOL8_PROGRAM) } + arguments);
    }
    void hangUp() const { ::kill(pid_t(process.processId()), SIGHUP); }
    [[nodiscard]] bool hasSaid(const QByteArray& text)
    {
        return QTest::qWaitFor([&] { return said.contains(text); }, patience);
    }
    /// Once it listens; 0 when it does not.
    [[nodiscard]] quint16 port()
    {
        static const QRegularExpression greeting(
            u"isol8 server v[0-9.]+ listening on http://localhost:([0-9]+)"_s);
        const auto match = [this] { return greeting.match(QString::fromUtf8(said)); };
        return QTest::qWaitFor([&] { return match().hasMatch(); }, patience)
            ? match().captured(1).toUShort()
            : quint16(0);
    }
    [[nodiscard]] bool hasEnded()
    {
        return QTest::qWaitFor(
            [this] { return process.state() == QProcess::NotRunning; }, patience);
    }
    void writeFile(const QString& name, const QByteArray& content) const
    {
        QFile file(dir.filePath(name));
        if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
            qFatal("cannot write %s", qPrintable(name));
    }
    [[nodiscard]] QByteArray readFile(const QString& name) const
    {
        QFile file(dir.filePath(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

    QTemporaryDir dir;
    QProcess process;
    QByteArray said;
    QByteArray out;
};

/// The status of an answer to @p bytes.
QByteArray statusOf(quint16 port, const QByteArray& bytes)
{
    QTcpSocket socket;
    socket.connectToHost(QHostAddress(QHostAddress::LocalHost), port);
    socket.write(bytes);
    QByteArray received;
    QObject::connect(
        &socket, &QTcpSocket::readyRead, &socket, [&] { received += socket.readAll(); });
    return QTest::qWaitFor([&] { return received.contains("\r\n\r\n"); }, patience)
        ? received.sliced(9, 3)
        : received;
}

} // namespace

/// `isol8 serve` as a service manager runs it.
class TestServeProgram : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsTheServiceManager();
    void feedsTheWatchdog();
    void servesPassedSockets();
    void refusesSocketsThatDoNotListen();
    void readsItsConfigurationAnew();
    void keepsTheOldOneWhenItIsBroken();
    void writesAnAccessLog();
    void accessLogToStandardOutput();
    void refusesAnUnusableAccessLog();
    void warnsOfAShortKey();
    void asksForAnotherPort_data();
    void asksForAnotherPort();
};

void TestServeProgram::tellsTheServiceManager()
{
    Program program;
    FakeManager manager(QFile::encodeName(program.dir.filePath(u"notify"_s)));
    program.setVariable(u"NOTIFY_SOCKET"_s, manager.name());
    const auto next = [&manager] {
        QByteArray message;
        (void)QTest::qWaitFor([&] { return !(message = manager.message()).isEmpty(); }, patience);
        return message;
    };
    program.start({ u"--port"_s, u"0"_s });
    const auto port = QByteArray::number(program.port());
    const auto ready = "READY=1\nSTATUS=Listening on http://localhost:" + port;
    QCOMPARE(next(), ready);
    program.hangUp();
    QVERIFY(next().startsWith("RELOADING=1\nMONOTONIC_USEC="));
    QCOMPARE(next(), ready);
    program.process.terminate();
    QVERIFY(next().startsWith("STOPPING=1\nEXTEND_TIMEOUT_USEC=70000000\nSTATUS="));
    QVERIFY(program.hasEnded());
    QCOMPARE(program.process.exitCode(), 0);
}

void TestServeProgram::feedsTheWatchdog()
{
    Program program;
    FakeManager manager(QFile::encodeName(program.dir.filePath(u"notify"_s)));
    program.setVariable(u"NOTIFY_SOCKET"_s, manager.name());
    program.setVariable(u"WATCHDOG_USEC"_s, "50000");
    program.start({ u"--port"_s, u"0"_s });
    int fed = 0;
    QVERIFY(QTest::qWaitFor(
        [&] { return (fed += manager.message() == "WATCHDOG=1" ? 1 : 0) == 3; }, patience));
}

void TestServeProgram::servesPassedSockets()
{
    Program program;
    QTcpServer tcp;
    QVERIFY(tcp.listen(QHostAddress::LocalHost));
    const QByteArray path = QFile::encodeName(program.dir.filePath(u"passed.sock"_s));
    sockaddr_un address {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.constData(), size_t(path.size()));
    const int local = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    QCOMPARE(::bind(local, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    QCOMPARE(::listen(local, 10), 0);
    // Clients may be there before the server.
    QLocalSocket early;
    early.connectToServer(QFile::decodeName(path));
    early.write(askForHealth);
    tcp.pauseAccepting();

    program.start({ u"--port"_s, u"1"_s }, { int(tcp.socketDescriptor()), local });
    QVERIFY(program.hasSaid("listening on unix:" + path));
    QVERIFY(program.said.contains("--port and --bind do not count"));
    QCOMPARE(program.port(), tcp.serverPort());
    QCOMPARE(statusOf(tcp.serverPort(), askForHealth), "200"_ba);
    QTRY_VERIFY_WITH_TIMEOUT(early.bytesAvailable() > 0, patience);
    QVERIFY(early.readAll().startsWith("HTTP/1.1 200 "));
    program.process.terminate();
    QVERIFY(program.hasEnded());
    QCOMPARE(program.process.exitCode(), 0);
    // The socket is its maker's, for the next server.
    QVERIFY(QFile::exists(QFile::decodeName(path)));
    QLocalSocket late;
    late.connectToServer(QFile::decodeName(path));
    QCOMPARE(late.state(), QLocalSocket::ConnectedState);
    ::close(local);
}

void TestServeProgram::refusesSocketsThatDoNotListen()
{
    Program program;
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    program.start({}, { socket });
    ::close(socket);
    QVERIFY(program.hasEnded());
    QCOMPARE(program.process.exitCode(), 1);
    QVERIFY2(program.said.contains("[ERR] socket of the service manager: descriptor 3"),
        program.said.constData());
}

void TestServeProgram::readsItsConfigurationAnew()
{
    Program program;
    program.start({ u"--port"_s, u"0"_s });
    const auto port = program.port();
    const auto threeFields
        = askForHealth.chopped(2) + "A: b\r\n\r\n"; // Host, Connection and this one.
    QCOMPARE(statusOf(port, threeFields), "200"_ba);
    program.writeFile(u"isol8.config.json"_s,
        R"({"serve": {"maxHeaderFields": 2, "sessionGraceMs": 1000, "drainMs": 1000}})");
    program.hangUp();
    QVERIFY2(program.hasSaid("[INFO] Read the configuration anew; changed: serve.maxHeaderFields, "
                             "serve.drainMs"),
        program.said.constData());
    QVERIFY2(
        program.hasSaid("[WARN] These keys count only at the next start: serve.sessionGraceMs"),
        program.said.constData());
    QCOMPARE(statusOf(port, threeFields), "431"_ba);
    program.hangUp();
    QVERIFY2(program.hasSaid("nothing has changed"), program.said.constData());
}

void TestServeProgram::keepsTheOldOneWhenItIsBroken()
{
    Program program;
    program.writeFile(u"isol8.config.json"_s, R"({"serve": {"maxHeaderFields": 2}})");
    program.start({ u"--port"_s, u"0"_s });
    const auto port = program.port();
    const auto threeFields = askForHealth.chopped(2) + "A: b\r\n\r\n";
    for (const QByteArray broken : { R"({"serve": {)", R"({"serve": {"maxHeaderFields": "x"}})",
             R"({"serve": {"accessLog": "/no/such/folder/log"}})" }) {
        program.said.clear();
        program.writeFile(u"isol8.config.json"_s, broken);
        program.hangUp();
        QVERIFY2(
            program.hasSaid("[WARN] The configuration stays as it was"), program.said.constData());
        QVERIFY2(program.said.contains("[ERR] "), program.said.constData());
        QCOMPARE(statusOf(port, threeFields), "431"_ba);
    }
}

void TestServeProgram::writesAnAccessLog()
{
    Program program;
    program.writeFile(u"isol8.config.json"_s, R"({"serve": {"accessLog": "access.log"}})");
    program.start({ u"--port"_s, u"0"_s });
    const auto port = program.port();
    HttpClient client(port, "Bearer master-key-of-the-test");
    QCOMPARE(client.get(u"/sessions?token=hush"_s).status, 503); // No Docker.
    HttpClient stranger(port, "Bearer a-wrong-key");
    QCOMPARE(stranger.get(u"/metrics"_s).status, 403);
    QCOMPARE(statusOf(port, "\x01"), "400"_ba);
    const auto lines = [&](const QString& name) {
        QList<QJsonObject> objects;
        for (const auto& line : program.readFile(name).split('\n')) {
            if (!line.isEmpty())
                objects << QJsonDocument::fromJson(line).object();
        }
        return objects;
    };
    QTRY_COMPARE_WITH_TIMEOUT(lines(u"access.log"_s).size(), 3, patience);
    const auto written = lines(u"access.log"_s);
    QCOMPARE(written[0].value(u"path"_s), u"/sessions"_s);
    QCOMPARE(written[0].value(u"status"_s), 503);
    QCOMPARE(written[0].value(u"key"_s), u"master"_s);
    QCOMPARE(written[0].value(u"tenant"_s), u"default"_s);
    QCOMPARE(written[1].value(u"status"_s), 403);
    QVERIFY(!written[1].contains(u"key"_s));
    QCOMPARE(written[2].value(u"status"_s), 400);
    QVERIFY(!written[2].contains(u"path"_s));
    for (const auto* secret : { "hush", "master-key-of-the-test", "a-wrong-key" }) {
        QVERIFY(!program.readFile(u"access.log"_s).contains(secret));
        QVERIFY(!program.said.contains(secret));
    }

    // As logrotate does, also while the configuration is broken.
    program.writeFile(u"isol8.config.json"_s, "{");
    QVERIFY(QFile::rename(
        program.dir.filePath(u"access.log"_s), program.dir.filePath(u"access.log.1"_s)));
    program.hangUp();
    QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(program.dir.filePath(u"access.log"_s)), patience);
    QCOMPARE(statusOf(port, askForHealth), "200"_ba);
    QTRY_COMPARE_WITH_TIMEOUT(lines(u"access.log"_s).size(), 1, patience);
    QCOMPARE(lines(u"access.log.1"_s).size(), 3);
}

void TestServeProgram::accessLogToStandardOutput()
{
    Program program;
    program.start({ u"--port"_s, u"0"_s, u"--access-log"_s, u"-"_s });
    QCOMPARE(statusOf(program.port(), askForHealth), "200"_ba);
    QTRY_VERIFY_WITH_TIMEOUT(program.out.endsWith('\n'), patience);
    QCOMPARE(QJsonDocument::fromJson(program.out).object().value(u"route"_s), u"/health"_s);
}

void TestServeProgram::refusesAnUnusableAccessLog()
{
    Program program;
    program.start({ u"--port"_s, u"0"_s, u"--access-log"_s, u"/no/such/folder/log"_s });
    QVERIFY(program.hasEnded());
    QCOMPARE(program.process.exitCode(), 1);
    QVERIFY2(program.said.contains("[ERR] serve.accessLog: cannot write to /no/such/folder/log"),
        program.said.constData());
}

void TestServeProgram::warnsOfAShortKey()
{
    Program program;
    program.setVariable(u"ISOL8_API_KEY"_s, "k");
    program.start({ u"--port"_s, u"0"_s });
    QVERIFY(program.port() != 0);
    QVERIFY2(program.said.contains("[WARN] The API key is short"), program.said.constData());
}

void TestServeProgram::asksForAnotherPort_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("free") << "f\n"_ba;
    QTest::newRow("exit") << "e\n"_ba;
}

/// On a terminal; elsewhere a free one is taken.
void TestServeProgram::asksForAnotherPort()
{
    QFETCH(QByteArray, answer);
    Program first;
    first.start({ u"--port"_s, u"0"_s });
    QVERIFY2(first.port() != 0, first.said.constData());

    int master = -1;
    int slave = -1;
    QVERIFY(::openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
    const auto terminal = QString::fromLocal8Bit(::ttyname(slave));
    Program second;
    second.process.setStandardInputFile(terminal);
    second.process.setStandardErrorFile(terminal);
    QSocketNotifier notifier(master, QSocketNotifier::Read);
    connect(&notifier, &QSocketNotifier::activated, this, [&] {
        char buffer[4096];
        second.said.append(buffer, std::max<ssize_t>(0, ::read(master, buffer, sizeof buffer)));
    });
    second.start({ u"--port"_s, QString::number(first.port()) });
    QVERIFY2(second.hasSaid("[f] any free one, [e] exit:"), second.said.constData());
    second.said.clear();
    QCOMPARE(::write(master, "some\n", 5), 5);
    QVERIFY2(second.hasSaid("[e] exit:"), second.said.constData());
    second.said.clear();
    QCOMPARE(::write(master, answer.constData(), size_t(answer.size())), answer.size());
    if (answer == "e\n") {
        QVERIFY(second.hasEnded());
        QCOMPARE(second.process.exitCode(), 1);
    } else {
        QVERIFY2(second.port() != 0 && second.port() != first.port(), second.said.constData());
    }
    notifier.setEnabled(false);
    ::close(master);
    ::close(slave);
}

QTEST_GUILESS_MAIN(TestServeProgram)
#include "tst_serveprogram.moc"
