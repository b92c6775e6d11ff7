// SPDX-License-Identifier: MIT
#include "tests/bench/bench.h"

#include "engine/core/largebuffer.h"
#include "engine/core/names.h"
#include "engine/docker/attachedstream.h"
#include "engine/docker/client.h"
#include "engine/images/imagename.h"

#include <KTar>
#include <QBuffer>
#include <QCoroTask>
#include <QDeadlineTimer>
#include <QEventLoop>
#include <QFile>
#include <QTest>
#include <QTimer>

#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace isol8::bench {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 maxInterpreterBytes = 400LL << 20;

/// Copies `/usr/local/bin/NAME` out of an image.
bool copyOut(docker::Client& client, const QString& image, const QString& name, const QString& to)
{
    docker::ContainerSpec spec;
    spec.image = image;
    spec.entrypoint = { u"/none"_s };
    const auto container = QCoro::waitFor(client.createContainer(spec, {}));
    if (!container)
        return false;
    auto tar = QCoro::waitFor(
        client.fetchArchive(*container, u"/usr/local/bin/"_s + name, maxInterpreterBytes));
    (void)QCoro::waitFor(client.removeContainer(*container));
    if (!tar)
        return false;
    QBuffer buffer(&*tar);
    KTar archive(&buffer);
    if (!archive.open(QIODevice::ReadOnly))
        return false;
    const auto* file = archive.directory()->file(name);
    QFile copy(to);
    return file && copy.open(QIODevice::WriteOnly) && copy.write(file->data()) > 0
        && copy.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
}

constexpr qint64 inputPieceBytes = 256 << 10;

/// A container of the smallest image that runs one command, attached to before it is started.
class AttachedContainer {
public:
    explicit AttachedContainer(const QStringList& command)
    {
        const auto endpoint = docker::resolveEndpoint();
        if (!endpoint)
            return;
        m_client = std::make_unique<docker::Client>(*endpoint);
        docker::ContainerSpec spec;
        spec.image = baseImageTag(Runtime::Bash);
        spec.entrypoint = command;
        if (const auto id = QCoro::waitFor(m_client->createContainer(spec, {})))
            m_id = *id;
        if (auto stream = QCoro::waitFor(m_client->attach(m_id)))
            m_stream = std::move(*stream);
    }

    /// Milliseconds from the start to the end of its streams; @p prepare connects to them.
    double timeOf(const std::function<void(docker::AttachedStream&)>& prepare)
    {
        if (!m_stream)
            return 0;
        QEventLoop loop;
        QObject::connect(m_stream.get(), &docker::AttachedStream::closed, &loop, &QEventLoop::quit);
        QTimer::singleShot(std::chrono::minutes(5), &loop, &QEventLoop::quit);
        if (!QCoro::waitFor(m_client->startContainer(m_id)))
            return 0;
        const Stopwatch watch;
        prepare(*m_stream);
        m_stream->setReading(true);
        loop.exec();
        return watch.milliseconds();
    }

private:
    std::unique_ptr<docker::Client> m_client;
    QString m_id;
    std::shared_ptr<docker::AttachedStream> m_stream;
};

QByteArray readToEnd(int fd)
{
    QByteArray bytes;
    char buffer[65536];
    for (ssize_t size = 0; (size = ::read(fd, buffer, sizeof buffer)) > 0;)
        appendLarge(bytes, QByteArrayView(buffer, size));
    return bytes;
}

} // namespace

const QList<Smallest>& smallestPrograms()
{
    static const QList<Smallest> programs {
        { Runtime::Python, ".py", "print(1)\n", { u"python3"_s } },
        { Runtime::Node, ".mjs", "console.log(1)\n", { u"node"_s } },
        { Runtime::Bun, ".ts", "console.log(1)\n", { u"bun"_s, u"run"_s } },
        { Runtime::Deno, ".mts", "console.log(1)\n",
            { u"deno"_s, u"run"_s, u"--allow-all"_s, u"--no-prompt"_s } },
        { Runtime::Bash, ".sh", "echo 1\n", { u"bash"_s } },
    };
    return programs;
}

double timeCommand(Bench& bench, const QStringList& command, const QByteArray& expected,
    const QStringList& environment, const char* input)
{
    std::vector<QByteArray> texts;
    for (const auto& argument : command)
        texts.push_back(argument.toUtf8());
    std::vector<char*> arguments;
    for (auto& text : texts)
        arguments.push_back(text.data());
    arguments.push_back(nullptr);
    std::vector<QByteArray> variables;
    for (char** variable = environ; *variable; ++variable)
        variables.emplace_back(*variable);
    for (const auto& variable : environment)
        variables.insert(variables.begin(), variable.toUtf8());
    std::vector<char*> pointers;
    for (auto& variable : variables)
        pointers.push_back(variable.data());
    pointers.push_back(nullptr);

    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0)
        return 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    pid_t pid = 0;
    const Stopwatch watch;
    const int error
        = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), pointers.data());
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    const auto output = readToEnd(ends[0]);
    ::close(ends[0]);
    int status = 0;
    if (error == 0)
        ::waitpid(pid, &status, 0);
    const double time = watch.milliseconds();
    if (error != 0 || status != 0 || output != expected)
        bench.report.fail(u"%1: status %2, %3"_s.arg(command.join(u' ').left(200))
                .arg(error != 0 ? error : status)
                .arg(QString::fromUtf8(output.left(200))));
    return time;
}

bool waitFor(Run& run)
{
    QEventLoop loop;
    bool isFinished = false;
    QObject::connect(&run, &Run::finished, &loop, [&] {
        isFinished = true;
        loop.quit();
    });
    QTimer::singleShot(std::chrono::minutes(5), &loop, &QEventLoop::quit);
    loop.exec();
    return isFinished;
}

void think(int milliseconds)
{
    const QDeadlineTimer passed(milliseconds);
    (void)QTest::qWaitFor([&passed] { return passed.hasExpired(); }, milliseconds + 1000);
}

std::vector<Samples> inTurn(int count, const std::vector<std::function<double()>>& things)
{
    std::vector<Samples> samples(things.size());
    for (int i = 0; i < count; ++i) {
        for (size_t thing = 0; thing < things.size(); ++thing)
            samples.at(thing).add(things.at(thing)());
    }
    return samples;
}

QStringList dockerRun(const Bench& bench, const Smallest& program)
{
    static const QMap<Runtime, QString> inlineOption { { Runtime::Python, u"-c"_s },
        { Runtime::Node, u"-e"_s }, { Runtime::Bun, u"-e"_s }, { Runtime::Bash, u"-c"_s } };
    QStringList command { bench.docker, u"run"_s, u"--rm"_s, u"--network"_s, u"none"_s,
        baseImageTag(program.runtime), program.native.constFirst() };
    if (program.runtime == Runtime::Deno)
        command << u"eval"_s;
    else
        command << inlineOption.value(program.runtime);
    return command << QString::fromLatin1(program.code);
}

double dockerRate(Bench& bench, qint64 bytes)
{
    if (bench.docker.isEmpty())
        return 0;
    const QStringList command { bench.docker, u"run"_s, u"--rm"_s, u"--network"_s, u"none"_s,
        baseImageTag(Runtime::Bash), u"head"_s, u"-c"_s, QString::number(bytes), u"/dev/zero"_s };
    return double(bytes) / timeCommand(bench, command, QByteArray(bytes, '\0')) / 1e3;
}

double dockerInputRate(Bench& bench, qint64 bytes)
{
    if (bench.docker.isEmpty())
        return 0;
    QFile zeros(bench.folder.filePath(u"zeros"_s));
    if (!zeros.open(QIODevice::WriteOnly) || !zeros.resize(bytes)) {
        bench.report.fail(u"%1: %2"_s.arg(zeros.fileName(), zeros.errorString()));
        return 0;
    }
    const QStringList command { bench.docker, u"run"_s, u"--rm"_s, u"-i"_s, u"--network"_s,
        u"none"_s, baseImageTag(Runtime::Bash), u"wc"_s, u"-c"_s };
    const auto path = zeros.fileName().toLocal8Bit();
    const double time
        = timeCommand(bench, command, QByteArray::number(bytes) + '\n', {}, path.constData());
    zeros.remove();
    return double(bytes) / time / 1e3;
}

double attachedRate(Bench& bench, qint64 bytes)
{
    AttachedContainer container({ u"head"_s, u"-c"_s, QString::number(bytes), u"/dev/zero"_s });
    qint64 received = 0;
    const auto time = container.timeOf([&](docker::AttachedStream& stream) {
        QObject::connect(&stream, &docker::AttachedStream::stdoutReceived, &stream,
            [&received](const QByteArray& piece) { received += piece.size(); });
    });
    if (received != bytes)
        bench.report.fail(u"Docker's stream brought %1 of %2 bytes"_s.arg(received).arg(bytes));
    return received == bytes ? double(bytes) / time / 1e3 : 0;
}

double attachedInputRate(Bench& bench, qint64 bytes)
{
    // Takes so much and ends: the end of standard input alone cannot be told over this stream.
    AttachedContainer container(
        { u"bash"_s, u"-c"_s, u"head -c %1 > /dev/null && echo taken"_s.arg(bytes) });
    QByteArray answer;
    const QByteArray piece(inputPieceBytes, '\0');
    qint64 left = bytes;
    const auto time = container.timeOf([&](docker::AttachedStream& stream) {
        const auto send = [&] {
            while (left > 0 && stream.pendingBytes() < 2 * inputPieceBytes) {
                const auto size = std::min<qint64>(left, inputPieceBytes);
                stream.write(piece.first(size));
                left -= size;
            }
        };
        QObject::connect(&stream, &docker::AttachedStream::bytesWritten, &stream, send);
        QObject::connect(&stream, &docker::AttachedStream::stdoutReceived, &stream,
            [&answer](const QByteArray& text) { answer += text; });
        send();
    });
    if (answer != "taken\n" || left > 0)
        bench.report.fail(u"Docker's stream did not take %1 of %2 bytes"_s.arg(left).arg(bytes));
    return left == 0 ? double(bytes) / time / 1e3 : 0;
}

void fetchInterpreters(Bench& bench)
{
    auto endpoint = docker::resolveEndpoint();
    if (!endpoint)
        return;
    docker::Client client(*endpoint);
    for (const auto& program : smallestPrograms()) {
        const auto& name = program.native.constFirst();
        QFile script(bench.folder.filePath(u"main"_s + QLatin1StringView(program.extension)));
        if (script.open(QIODevice::WriteOnly))
            script.write(program.code);
        // The image's own binary, where it is a file that stands alone.
        if (program.runtime != Runtime::Python && program.runtime != Runtime::Bash
            && !copyOut(client, baseImageTag(program.runtime), name, bench.folder.filePath(name)))
            bench.report.fail(u"%1 could not be copied out of its image"_s.arg(name));
    }
}

QStringList nativeCommand(const Bench& bench, const Smallest& program)
{
    auto command = program.native;
    if (bench.folder.exists(command.constFirst()))
        command.first() = bench.folder.filePath(command.constFirst());
    return command << bench.folder.filePath(u"main"_s + QLatin1StringView(program.extension));
}

} // namespace isol8::bench
