// SPDX-License-Identifier: MIT
#include "engine/docker/client.h"
#include "tests/support/fakedocker.h"

#include <QTest>

#include <QCoroTask>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::docker;
using isol8::test::FakeDocker;

namespace {

constexpr int patience = 60'000;

template <typename T> Result<T> wait(Task<T> task)
{
    return QCoro::waitFor(std::move(task));
}

/// Starts @p task and leaves its result in what it returns.
template <typename T> std::shared_ptr<std::optional<Result<T>>> start(Task<T>&& task)
{
    auto result = std::make_shared<std::optional<Result<T>>>();
    std::move(task).then([result](Result<T> value) { result->emplace(std::move(value)); });
    return result;
}

} // namespace

/// How client and daemon agree on the version of Docker's API.
class TestApiVersion : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void firstCallIsTheOnlyOne();
    void newerDaemonCostsOneRefusal();
    void parallelCallsAgreeOnTheVersion();
    void unsupportedVersions_data();
    void unsupportedVersions();
    void refusalWithoutNumberUsesTheHeader();
    void laterRefusalIsAnOrdinaryError();

private:
    std::unique_ptr<FakeDocker> m_docker;
    std::unique_ptr<Client> m_client;
};

void TestApiVersion::init()
{
    m_docker = std::make_unique<FakeDocker>();
    m_client = std::make_unique<Client>(m_docker->endpoint());
}

void TestApiVersion::cleanup()
{
    m_client.reset();
    m_docker.reset();
}

void TestApiVersion::firstCallIsTheOnlyOne()
{
    m_docker->enqueueJson(201, R"({"Id":"abc"})", "Api-Version: 1.43\r\n");
    QVERIFY(wait(m_client->createContainer(ContainerSpec {}, u"n"_s)));
    QCOMPARE(m_docker->requests().size(), 1);
}

void TestApiVersion::newerDaemonCostsOneRefusal()
{
    m_docker->enqueueJson(400,
        R"({"message":"client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version"})",
        "Api-Version: 1.52\r\n");
    m_docker->enqueueJson(200, R"({"Id":"sha256:1"})");
    m_docker->enqueueJson(200, R"({"Id":"sha256:2"})");
    QVERIFY(wait(m_client->inspectImage(u"a"_s)));
    QVERIFY(wait(m_client->inspectImage(u"b"_s)));
    QCOMPARE(m_docker->requests().size(), 3);
    QCOMPARE(m_docker->requests().at(0).target, "/v1.41/images/a/json");
    QCOMPARE(m_docker->requests().at(1).target, "/v1.44/images/a/json");
    QCOMPARE(m_docker->requests().at(2).target, "/v1.44/images/b/json");
}

void TestApiVersion::parallelCallsAgreeOnTheVersion()
{
    const QByteArray refusal
        = R"({"message":"client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade"})";
    m_docker->enqueueJson(400, refusal);
    m_docker->enqueueJson(400, refusal);
    m_docker->enqueueJson(200, R"({"Id":"sha256:1"})");
    m_docker->enqueueJson(200, R"({"Id":"sha256:1"})");
    const auto one = start(m_client->inspectImage(u"a"_s));
    const auto two = start(m_client->inspectImage(u"a"_s));
    QTRY_VERIFY_WITH_TIMEOUT(*one && *two, patience);
    QVERIFY(**one);
    QVERIFY(**two);
    QCOMPARE(m_docker->requests().size(), 4);
}

void TestApiVersion::unsupportedVersions_data()
{
    QTest::addColumn<QList<QByteArray>>("refusals");
    QTest::addColumn<QStringList>("words");
    const QByteArray old
        = R"({"message":"client version 1.41 is too new. Maximum supported API version is 1.40"})";
    QTest::newRow("old daemon") << QList { old }
                                << QStringList { u"1.40"_s, u"1.41"_s, u"update Docker"_s };
    const QByteArray recent
        = R"({"message":"client version 1.41 is too old. Minimum supported API version is 1.60, please upgrade"})";
    QTest::newRow("new daemon") << QList { recent }
                                << QStringList { u"1.60"_s, u"1.51"_s, u"update isol8"_s };
    const QByteArray first
        = R"({"message":"client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade"})";
    const QByteArray second
        = R"({"message":"client version 1.44 is too old. Minimum supported API version is 1.44, please upgrade"})";
    QTest::newRow("contradicts itself")
        << QList { first, second } << QStringList { u"1.44"_s, u"1.51"_s };
    const QByteArray odd = R"({"message":"client version 1.41 is too old"})";
    QTest::newRow("says no version") << QList { odd } << QStringList { u"1.51"_s };
}

void TestApiVersion::unsupportedVersions()
{
    QFETCH(QList<QByteArray>, refusals);
    QFETCH(QStringList, words);
    for (const auto& refusal : refusals)
        m_docker->enqueueJson(400, refusal);
    const auto result = wait(m_client->inspectImage(u"a"_s));
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Protocol);
    for (const auto& word : words)
        QVERIFY2(result.error().message.contains(word), qPrintable(result.error().message));
}

void TestApiVersion::refusalWithoutNumberUsesTheHeader()
{
    m_docker->enqueueJson(
        400, R"({"message":"client version 1.41 is too old"})", "Api-Version: 1.45\r\n");
    m_docker->enqueueJson(200, R"({"Id":"sha256:1"})");
    QVERIFY(wait(m_client->inspectImage(u"a"_s)));
    QCOMPARE(m_docker->requests().last().target, "/v1.45/images/a/json");
}

void TestApiVersion::laterRefusalIsAnOrdinaryError()
{
    m_docker->enqueueJson(200, R"({"Id":"sha256:1"})");
    QVERIFY(wait(m_client->inspectImage(u"a"_s)));
    m_docker->enqueueJson(400,
        R"({"message":"client version 1.41 is too old. Minimum supported API version is 1.44"})");
    const auto result = wait(m_client->inspectImage(u"a"_s));
    QVERIFY(!result);
    QCOMPARE(m_docker->requests().size(), 2);
}

QTEST_GUILESS_MAIN(TestApiVersion)
#include "tst_apiversion.moc"
