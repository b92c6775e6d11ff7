// SPDX-License-Identifier: MIT
#include "engine/sandbox/sandbox.h"
#include "tests/engine/guest/scriptedconversation.h"
#include "tests/engine/sandbox/directclient.h"
#include "tests/support/fakedocker.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTimer>
#include <QtEndian>

#include <QCoroTask>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::test;
using guest::Type;

namespace {

const QByteArray switched = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const QByteArray nothing = "HTTP/1.1 204 No Content\r\n\r\n";

/// A container whose guest greets as soon as it is spoken to, whatever Docker says to its start.
class FakeContainer : public QObject {
public:
    FakeContainer()
    {
        connect(&docker, &FakeDocker::requested, this, &FakeContainer::answer);
        connect(&m_meeting, &QTimer::timeout, this, [this] {
            if (!m_direct->takeSocket())
                return;
            m_meeting.stop();
            m_direct->say(frame(Type::Connected, 0, u32(0)));
        });
        connect(&m_guest, &GuestTransport::received, this, [this](const QByteArray& bytes) {
            QByteArray head(8, '\0');
            head[0] = 1; // Standard output.
            qToBigEndian(quint32(bytes.size()), head.data() + 4);
            m_stream->write(head + bytes);
        });
    }

    std::shared_ptr<Outlet<std::shared_ptr<Sandbox>>> make(bool stays)
    {
        docker::ContainerSpec spec;
        spec.image = u"image"_s;
        spec.binds = { { {}, u"/.isol8-host"_s } };
        spec.isStdinClosedOnDetach = !stays;
        return watch(Sandbox::create(client, access, spec, u"box"_s, cancel));
    }

    /// The host has been greeted and is at rest: Docker has been asked for something since.
    void waitForGreeting()
    {
        QTRY_VERIFY_WITH_TIMEOUT(hasGreeted && start, patienceMs);
        const auto listed = QCoro::waitFor(client->listContainers({}));
        QVERIFY(listed);
        QCOMPARE(listed->value(0).state, u"created"_s);
    }

    FakeDocker docker;
    const std::shared_ptr<docker::Client> client
        = std::make_shared<docker::Client>(docker.endpoint());
    std::shared_ptr<DirectAccess> access; ///< None: no direct socket.
    const CancelToken cancel;
    QPointer<QIODevice> start; ///< Where the answer to the start is awaited.
    bool isGreeting = true;
    bool hasGreeted = false;
    QByteArrayList removed;
    /// Of each create call: the folder that is to be mounted, or nothing.
    QStringList folders;
    QStringList labels; ///< And its name as a label.
    std::function<QByteArray(const QString& folder)> createAnswer; ///< Of the next one.
    bool isCreateAnswered = true;
    enum class Guest { Connects, Refuses, Hesitates } guest = Guest::Connects;
    bool hasBeenInvited = false;

private:
    void answer()
    {
        const auto request = docker.requests().last();
        auto* const connection = docker.connection();
        if (request.verb == "DELETE") {
            removed << request.target;
            connection->write(nothing);
        } else if (request.target.endsWith("/_ping")) {
            connection->write(FakeDocker::answer(200, "OK"));
        } else if (request.target.contains("/containers/create")) {
            create(QJsonDocument::fromJson(request.body).object(), connection);
        } else if (request.target.contains("/containers/json")) {
            connection->write(FakeDocker::answer(200,
                R"([{"Id":"abc","Names":["/box"],"State":"created","Created":1,"Labels":{}}])"));
        } else if (request.target.contains("/attach")) {
            m_stream = connection;
            connection->write(switched);
            connect(connection, &QIODevice::readyRead, this, &FakeContainer::hear);
        } else if (request.target.contains("/start")) {
            start = connection;
        }
    }

    void create(const QJsonObject& container, QIODevice* connection)
    {
        QString folder;
        for (const auto mount : container[u"HostConfig"_s][u"Mounts"_s].toArray()) {
            if (mount[u"Type"_s] == u"bind"_s && mount[u"Target"_s] == u"/.isol8-host"_s)
                folder = mount[u"Source"_s].toString();
        }
        folders << folder;
        labels << container[u"Labels"_s][u"isol8.socket"_s].toString();
        const auto answer = std::exchange(createAnswer, {});
        if (isCreateAnswered)
            connection->write(answer ? answer(folder) : FakeDocker::answer(201, R"({"Id":"abc"})"));
    }

    void connectGuest()
    {
        hasBeenInvited = true;
        if (guest == Guest::Refuses)
            m_guest.say(frame(Type::Connected, 0, u32(EACCES)));
        if (guest != Guest::Connects)
            return;
        m_direct = std::make_unique<DirectClient>(folders.last());
        m_direct->say(m_guest.lastFrame(Type::Connect).payload);
        m_meeting.start(0);
    }

    void hear()
    {
        m_guest.write(m_stream->readAll());
        if (hasGreeted && m_guest.lastFrame(Type::Connect).type == Type::Connect)
            connectGuest();
        if (!isGreeting || hasGreeted || m_guest.lastFrame(Type::Hello).type != Type::Hello)
            return;
        m_guest.greet();
        hasGreeted = true;
    }

    QPointer<QIODevice> m_stream;
    ScriptedTransport m_guest;
    std::unique_ptr<DirectClient> m_direct;
    QTimer m_meeting;
};

} // namespace

/// How a container of a fake daemon becomes a sandbox.
class TestSandbox : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_runtime = std::make_unique<QTemporaryDir>();
        qputenv("XDG_RUNTIME_DIR", m_runtime->path().toUtf8());
    }

    void oneRunNeedsOnlyTheGreeting()
    {
        FakeContainer container;
        const auto made = container.make(/*stays=*/false);
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QVERIFY(*made->result);
        QVERIFY(container.start);
    }

    void whatStaysIsListedWhenItIsHandedOut()
    {
        FakeContainer container;
        const auto made = container.make(/*stays=*/true);
        container.waitForGreeting();
        QVERIFY(!made->result);
        container.start->write(nothing);
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QVERIFY(*made->result);
        QCOMPARE((**made->result)->containerId(), u"abc"_s);
        QVERIFY((**made->result)->isOpen());
        QVERIFY(container.removed.isEmpty());
    }

    void failedStartIsTold_data()
    {
        QTest::addColumn<bool>("stays");
        QTest::addColumn<bool>("isGreeting");
        QTest::newRow("one run, no greeting") << false << false;
        QTest::newRow("stays, no greeting") << true << false;
        QTest::newRow("stays, greeting") << true << true;
    }
    void failedStartIsTold()
    {
        QFETCH(bool, stays);
        FakeContainer container;
        QFETCH(bool, isGreeting);
        container.isGreeting = isGreeting;
        const auto made = container.make(stays);
        if (isGreeting)
            container.waitForGreeting();
        QTRY_VERIFY_WITH_TIMEOUT(container.start, patienceMs);
        container.start->write(FakeDocker::answer(500, R"({"message":"no room"})"));
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QVERIFY(!*made->result);
        QCOMPARE(made->result->error().message, u"starting the sandbox: no room"_s);
        QCOMPARE(container.removed.size(), 1);
        QVERIFY(container.removed.first().contains("/containers/abc?"));
    }

    void cancelLeavesNothing_data()
    {
        QTest::addColumn<bool>("isGreeting");
        QTest::newRow("no greeting") << false;
        QTest::newRow("no answer to the start") << true;
    }
    void cancelLeavesNothing()
    {
        QFETCH(bool, isGreeting);
        FakeContainer container;
        container.isGreeting = isGreeting;
        const auto made = container.make(/*stays=*/true);
        if (isGreeting)
            container.waitForGreeting();
        QTRY_VERIFY_WITH_TIMEOUT(container.start, patienceMs);
        QVERIFY(!made->result);
        container.cancel.cancel();
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QVERIFY(!*made->result);
        QCOMPARE(made->result->error().kind, Kind::Cancelled);
        QCOMPARE(container.removed.size(), 1);
        QVERIFY(container.removed.first().contains("/containers/abc?"));
    }

    void withoutAccessThereIsNoMount()
    {
        FakeContainer container;
        const auto made = container.make(/*stays=*/false);
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QVERIFY(*made->result && !(**made->result)->guest().isDirect());
        QCOMPARE(container.folders, QStringList { QString() });
        QVERIFY(!container.hasBeenInvited);
    }

    void guestComesToTheSocket_data()
    {
        QTest::addColumn<bool>("stays");
        QTest::newRow("one run") << false;
        QTest::newRow("stays") << true;
    }
    void guestComesToTheSocket()
    {
        QFETCH(bool, stays);
        FakeContainer container;
        container.access = access();
        const auto made = container.make(stays);
        QTRY_VERIFY_WITH_TIMEOUT(container.start, patienceMs);
        container.start->write(nothing);
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QVERIFY(*made->result && (**made->result)->guest().isDirect());
        QVERIFY(container.access->isUsable());
        QVERIFY(container.folders[0].startsWith(base()));
        if (stays) { // For its next host.
            QCOMPARE(left(), QStringList { container.labels[0] });
            QVERIFY(container.folders[0].endsWith(u'/' + container.labels[0]));
            QVERIFY(QDir(container.folders[0]).isEmpty());
        } else {
            QVERIFY(left().isEmpty());
            QCOMPARE(container.labels[0], QString());
        }
    }

    void refusedMountIsDoneWithout_data()
    {
        QTest::addColumn<bool>("isAtStart");
        QTest::addColumn<QString>("sentence");
        QTest::newRow("missing")
            << false << u"invalid mount config for type bind: bind source path does not exist: %"_s;
        QTest::newRow("not shared")
            << false << u"Mounts denied: The path is not shared from the host"_s;
        QTest::newRow("forbidden") << false << u"bind mounts are not allowed here"_s;
        QTest::newRow("not allowed") << false << u"authorization denied by plugin: %"_s;
        QTest::newRow("at the start") << true << u"OCI runtime create failed: error mounting %"_s;
    }
    void refusedMountIsDoneWithout()
    {
        QFETCH(bool, isAtStart);
        QFETCH(QString, sentence);
        FakeContainer container;
        container.access = access();
        container.isGreeting = false;
        QTest::ignoreMessage(
            QtInfoMsg, QRegularExpression(u"sandboxes get no direct sockets: .*"_s));
        const auto refusal = [sentence](const QString& folder) {
            return FakeDocker::answer(
                500, "{\"message\":\"" + QString(sentence).replace(u'%', folder).toUtf8() + "\"}");
        };
        if (!isAtStart)
            container.createAnswer = refusal;
        const auto made = container.make(/*stays=*/false);
        if (isAtStart) {
            QTRY_VERIFY_WITH_TIMEOUT(container.start, patienceMs);
            container.start->write(refusal(container.folders[0]));
        }
        container.isGreeting = true;
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QVERIFY2(*made->result, *made->result ? "" : qPrintable(made->result->error().message));
        QVERIFY(!(**made->result)->guest().isDirect());
        QCOMPARE(container.folders.size(), 2);
        QVERIFY(container.folders[0].startsWith(base()));
        QCOMPARE(container.folders[1], QString());
        QVERIFY(!container.access->isUsable());
        QVERIFY(left().isEmpty());
        QCOMPARE(container.removed.size(), isAtStart ? 1 : 0);
    }

    void otherFailuresAreNotTriedAgain_data()
    {
        QTest::addColumn<QString>("sentence");
        QTest::newRow("room") << u"no room"_s;
        QTest::newRow("protection") << u"no memory limit: the cgroup is not mounted"_s;
    }
    void otherFailuresAreNotTriedAgain()
    {
        QFETCH(QString, sentence);
        FakeContainer container;
        container.access = access();
        container.createAnswer = [sentence](const QString&) {
            return FakeDocker::answer(500, "{\"message\":\"" + sentence.toUtf8() + "\"}");
        };
        const auto made = container.make(/*stays=*/false);
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QVERIFY(!*made->result);
        QCOMPARE(made->result->error().message, u"creating the sandbox: "_s + sentence);
        QCOMPARE(container.folders.size(), 1);
        QVERIFY(container.access->isUsable());
        QVERIFY(left().isEmpty());
    }

    void guestThatDoesNotReachItStaysAttached()
    {
        FakeContainer container;
        container.access = access();
        container.guest = FakeContainer::Guest::Refuses;
        QTest::ignoreMessage(
            QtInfoMsg, "sandboxes get no direct sockets: the guest does not reach them");
        const auto made = container.make(/*stays=*/false);
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QVERIFY(*made->result && (**made->result)->isOpen());
        QVERIFY(!(**made->result)->guest().isDirect());
        QVERIFY(container.removed.isEmpty());
        QVERIFY(left().isEmpty());
        FakeContainer next;
        next.access = container.access;
        const auto second = next.make(/*stays=*/false);
        QTRY_VERIFY_WITH_TIMEOUT(second->result, patienceMs);
        QCOMPARE(next.folders, QStringList { QString() });
    }

    void cancelLeavesNoFolder_data()
    {
        QTest::addColumn<int>("step");
        QTest::newRow("creating") << 0;
        QTest::newRow("greeting") << 1;
        QTest::newRow("connecting") << 2;
    }
    void cancelLeavesNoFolder()
    {
        QFETCH(int, step);
        FakeContainer container;
        container.access = access();
        container.isCreateAnswered = step > 0;
        container.isGreeting = step > 1;
        container.guest = FakeContainer::Guest::Hesitates;
        const auto made = container.make(/*stays=*/true);
        QTRY_COMPARE_WITH_TIMEOUT(container.folders.size(), 1, patienceMs);
        if (step == 1)
            QTRY_VERIFY_WITH_TIMEOUT(container.start, patienceMs);
        if (step == 2)
            QTRY_VERIFY_WITH_TIMEOUT(container.hasBeenInvited, patienceMs);
        QCOMPARE(left().size(), 1);
        container.cancel.cancel();
        if (step == 0)
            container.docker.connection()->write(FakeDocker::answer(201, R"({"Id":"abc"})"));
        QTRY_VERIFY_WITH_TIMEOUT(made->result, patienceMs);
        QCOMPARE(made->result->error().kind, Kind::Cancelled);
        QCOMPARE(container.removed.size(), 1);
        QVERIFY(left().isEmpty());
        QVERIFY(container.access->isUsable());
    }

private:
    static std::shared_ptr<DirectAccess> access()
    {
        return std::make_shared<DirectAccess>(docker::Endpoint {});
    }
    [[nodiscard]] QString base() const { return m_runtime->path() + u"/isol8"_s; }
    [[nodiscard]] QStringList left() const
    {
        return QDir(base()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot);
    }

    std::unique_ptr<QTemporaryDir> m_runtime;
};

QTEST_GUILESS_MAIN(TestSandbox)
#include "tst_sandbox.moc"
