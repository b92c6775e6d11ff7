// SPDX-License-Identifier: MIT
#include "engine/sandbox/sandbox.h"
#include "tests/engine/guest/scriptedconversation.h"
#include "tests/support/fakedocker.h"

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
            connection->write(FakeDocker::answer(201, R"({"Id":"abc"})"));
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

    void hear()
    {
        m_guest.write(m_stream->readAll());
        if (!isGreeting || hasGreeted || m_guest.lastFrame(Type::Hello).type != Type::Hello)
            return;
        m_guest.greet();
        hasGreeted = true;
    }

    QPointer<QIODevice> m_stream;
    ScriptedTransport m_guest;
};

} // namespace

/// How a container of a fake daemon becomes a sandbox.
class TestSandbox : public QObject {
    Q_OBJECT

private Q_SLOTS:
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
};

QTEST_GUILESS_MAIN(TestSandbox)
#include "tst_sandbox.moc"
