// SPDX-License-Identifier: MIT
#include "engine/docker/client.h"
#include "tests/support/fakedocker.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QUrl>
#include <QUrlQuery>

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

QString writeFile(const QTemporaryDir& directory, const QByteArray& content)
{
    QFile file(directory.filePath(u"body.tar"_s));
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        qFatal("no temporary file");
    return file.fileName();
}

} // namespace

class TestClient : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void requestsAreWhatDockerExpects_data();
    void requestsAreWhatDockerExpects();
    void createSendsTheSpec();
    void createRefusesADiscardedLimit();
    void errorsKeepDockersSentence_data();
    void errorsKeepDockersSentence();
    void whatIsAlreadySoIsSuccess();
    void removeOfABusyContainerFails();
    void brokenAnswersAreErrors_data();
    void brokenAnswersAreErrors();
    void hugeAnswerIsRefused();
    void redirectIsNotFollowed();
    void answerInSmallPiecesIsWhole();

    void cancelEndsACall();
    void cancelBeforeTheCall();
    void cancelInMidAnswer();
    void destroyingTheClientEndsItsCalls();
    void callAfterTheAnswerReusesTheConnection();
    void daemonDiesInMidCall();

    void progressIsTold();
    void failingBuildTellsItsOutput();
    void uploadIsTheWholeFile();
    void uploadSettlesTheVersionFirst();
    void missingUploadIsAnError();
    void endlessProgressLineIsRefused();
    void pullAsksForOneTag_data();
    void pullAsksForOneTag();
    void importSplitsItsReference_data();
    void importSplitsItsReference();
    void progressHandlerMayCancel();

private:
    QUrlQuery lastQuery() const
    {
        return QUrlQuery(QUrl(QString::fromLatin1(m_docker->requests().last().target)));
    }

    std::unique_ptr<FakeDocker> m_docker;
    std::unique_ptr<Client> m_client;
};

void TestClient::init()
{
    m_docker = std::make_unique<FakeDocker>();
    m_client = std::make_unique<Client>(m_docker->endpoint());
}

void TestClient::cleanup()
{
    m_client.reset();
    m_docker.reset();
}

void TestClient::requestsAreWhatDockerExpects_data()
{
    using Call = std::function<Result<>(Client&)>;
    QTest::addColumn<Call>("call");
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<QByteArray>("expected");
    const auto add = [](const char* name, const QByteArray& expected, const QByteArray& answer,
                         Call call) { QTest::newRow(name) << call << answer << expected; };
    const auto dropped = [](const auto& result) -> Result<> {
        if (!result)
            return std::unexpected(result.error());
        return {};
    };
    add("start", "POST /v1.41/containers/ab/start", {},
        [](Client& client) { return wait(client.startContainer(u"ab"_s)); });
    add("odd id", "POST /v1.41/containers/..%2Fx%3Fy/start", {},
        [](Client& client) { return wait(client.startContainer(u"../x?y"_s)); });
    add("kill", "POST /v1.41/containers/ab/kill?signal=SIGKILL", {},
        [](Client& client) { return wait(client.killContainer(u"ab"_s, u"SIGKILL"_s)); });
    add("remove", "DELETE /v1.41/containers/ab?force=1&v=1", {},
        [](Client& client) { return wait(client.removeContainer(u"ab"_s)); });
    add("rename", "POST /v1.41/containers/ab/rename?name=a%26b", {},
        [](Client& client) { return wait(client.renameContainer(u"ab"_s, u"a&b"_s)); });
    add("list", "GET /v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D",
        "[]",
        [dropped](Client& client) { return dropped(wait(client.listContainers({ u"a=b"_s }))); });
    add("wait", "POST /v1.41/containers/ab/wait", R"({"StatusCode":0})",
        [dropped](Client& client) { return dropped(wait(client.waitContainer(u"ab"_s))); });
    add("archive out", "GET /v1.41/containers/ab/archive?path=%2Fsome%20where", "tar",
        [dropped](Client& client) {
            return dropped(wait(client.fetchArchive(u"ab"_s, u"/some where"_s, 100)));
        });
    add("archive in", "PUT /v1.41/containers/ab/archive?path=%2F", {},
        [](Client& client) { return wait(client.putArchive(u"ab"_s, u"/"_s, "tar")); });
    add("image", "GET /v1.41/images/a%2Fb%3Ac/json", R"({"Id":"sha256:1"})",
        [dropped](Client& client) { return dropped(wait(client.inspectImage(u"a/b:c"_s))); });
    add("tag", "POST /v1.41/images/a/tag?repo=b&tag=c", {},
        [](Client& client) { return wait(client.tagImage(u"a"_s, u"b"_s, u"c"_s)); });
    add("volumes", "GET /v1.41/volumes", R"({"Volumes":null})",
        [dropped](Client& client) { return dropped(wait(client.listVolumes({}))); });
    add("volume", "DELETE /v1.41/volumes/v", {},
        [](Client& client) { return wait(client.removeVolume(u"v"_s)); });
}

void TestClient::requestsAreWhatDockerExpects()
{
    QFETCH(std::function<Result<>(Client&)>, call);
    QFETCH(QByteArray, answer);
    QFETCH(QByteArray, expected);
    m_docker->enqueueJson(200, answer);
    const auto result = call(*m_client);
    QVERIFY2(result, qPrintable(result ? QString() : result.error().message));
    QCOMPARE(m_docker->requests().size(), 1);
    const auto request = m_docker->requests().first();
    QCOMPARE(request.verb + ' ' + request.target, expected);
    QCOMPARE(request.headers.value("accept-encoding"), "identity");
}

void TestClient::createSendsTheSpec()
{
    m_docker->enqueueJson(201, R"({"Id":"abc","Warnings":[]})");
    ContainerSpec spec;
    spec.image = u"isol8:python"_s;
    const auto id = wait(m_client->createContainer(spec, u"name"_s));
    QVERIFY(id);
    QCOMPARE(*id, u"abc"_s);
    const auto& request = m_docker->requests().first();
    QCOMPARE(request.target, "/v1.41/containers/create?name=name");
    QCOMPARE(request.headers.value("content-type"), "application/json");
    QCOMPARE(QJsonDocument::fromJson(request.body).object().value(u"Image"_s).toString(),
        u"isol8:python"_s);
}

void TestClient::createRefusesADiscardedLimit()
{
    // Docker would run it without: that is not for us to accept in silence.
    m_docker->enqueueJson(201,
        R"({"Id":"abc","Warnings":["Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded."]})");
    m_docker->enqueue(FakeDocker::answer(204, {}));
    const auto refused = wait(m_client->createContainer(ContainerSpec {}, {}));
    QVERIFY(!refused);
    QCOMPARE(refused.error().kind, Kind::Denied);
    QVERIFY2(
        refused.error().message.contains(u"memory limit"_s), qPrintable(refused.error().message));
    QCOMPARE(m_docker->requests().last().verb, "DELETE");
    // Without swap accounting the limit is there, only softer; `doctor` tells of it.
    for (const auto* warnings :
        { "null",
            R"(["Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap."])" }) {
        m_docker->enqueueJson(201, R"({"Id":"abc","Warnings":)"_ba + warnings + '}');
        QVERIFY(wait(m_client->createContainer(ContainerSpec {}, {})));
    }
}

void TestClient::errorsKeepDockersSentence_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("message");
    QTest::newRow("400") << 400 << QByteArray(R"({"message":"invalid reference format"})")
                         << Kind::Invalid << u"invalid reference format"_s;
    QTest::newRow("401") << 401 << QByteArray(R"({"message":"who?"})") << Kind::Denied << u"who?"_s;
    QTest::newRow("403") << 403 << QByteArray(R"({"message":"authz"})") << Kind::Denied
                         << u"authz"_s;
    QTest::newRow("404") << 404 << QByteArray(R"({"message":"No such container: x."})")
                         << Kind::NotFound << u"No such container: x"_s;
    QTest::newRow("409") << 409 << QByteArray(R"({"message":"in use\n"})") << Kind::Conflict
                         << u"in use"_s;
    QTest::newRow("500") << 500 << QByteArray(R"({"message":"oops"})") << Kind::Internal
                         << u"oops"_s;
    QTest::newRow("503") << 503 << QByteArray(R"({"message":"swarm"})") << Kind::Internal
                         << u"swarm"_s;
    QTest::newRow("disk") << 500 << QByteArray(R"({"message":"write /x: no space left on device"})")
                          << Kind::Limit << u"write /x: no space left on device"_s;
    QTest::newRow("no JSON") << 502 << QByteArray("<html>Bad gateway</html>") << Kind::Internal
                             << u"Docker answered with HTTP 502"_s;
    QTest::newRow("text") << 500 << QByteArray("just text") << Kind::Internal
                          << u"Docker answered with HTTP 500: just text"_s;
    QTest::newRow("empty") << 500 << QByteArray() << Kind::Internal
                           << u"Docker answered with HTTP 500"_s;
    QTest::newRow("wrong type") << 404 << QByteArray(R"({"message":{"a":1}})") << Kind::NotFound
                                << uR"(Docker answered with HTTP 404: {"message":{"a":1}})"_s;
}

void TestClient::errorsKeepDockersSentence()
{
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    m_docker->enqueueJson(status, body);
    const auto result = wait(m_client->startContainer(u"x"_s));
    QVERIFY(!result);
    QTEST(result.error().kind, "kind");
    QTEST(result.error().message, "message");
    QCOMPARE(result.error().httpStatus, status);
}

void TestClient::whatIsAlreadySoIsSuccess()
{
    m_docker->enqueue("HTTP/1.1 304 Not Modified\r\n\r\n");
    QVERIFY(wait(m_client->startContainer(u"x"_s)));
    m_docker->enqueueJson(404, R"({"message":"No such container: x"})");
    QVERIFY(wait(m_client->removeContainer(u"x"_s)));
    m_docker->enqueueJson(409, R"({"message":"removal of container x is already in progress"})");
    QVERIFY(wait(m_client->removeContainer(u"x"_s)));
    m_docker->enqueueJson(404, R"({"message":"No such image: x"})");
    QVERIFY(wait(m_client->removeImage(u"x"_s)));
    m_docker->enqueueJson(404, R"({"message":"no such volume"})");
    QVERIFY(wait(m_client->removeVolume(u"x"_s)));
}

void TestClient::removeOfABusyContainerFails()
{
    m_docker->enqueueJson(409, R"({"message":"container is held by another"})");
    const auto result = wait(m_client->removeContainer(u"x"_s));
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Conflict);
}

void TestClient::brokenAnswersAreErrors_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<Kind>("kind");
    QTest::newRow("no JSON") << FakeDocker::answer(200, "{\"Id\":") << Kind::Protocol;
    QTest::newRow("no key") << FakeDocker::answer(200, "{}") << Kind::Protocol;
    QTest::newRow("wrong type") << FakeDocker::answer(200, "[1,2]") << Kind::Protocol;
    QTest::newRow("nothing") << QByteArray() << Kind::Unreachable;
    QTest::newRow("cut header") << QByteArray("HTTP/1.1 200 OK\r\nContent-Len")
                                << Kind::Unreachable;
    QTest::newRow("cut body") << FakeDocker::answer(200, R"({"Id":"1"})").chopped(2)
                              << Kind::Unreachable;
    QTest::newRow("cut chunk") << QByteArray(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"Id\"")
                               << Kind::Unreachable;
    QTest::newRow("missing last chunk")
        << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
        << Kind::Unreachable;
}

void TestClient::brokenAnswersAreErrors()
{
    QFETCH(QByteArray, bytes);
    for (int i = 0; i < 20; ++i) // Qt repeats a request whose connection ended without an answer.
        m_docker->enqueue(bytes, FakeDocker::After::Close);
    const auto result = wait(m_client->inspectImage(u"x"_s));
    QVERIFY(!result);
    QTEST(result.error().kind, "kind");
    QVERIFY(!result.error().message.isEmpty());
}

void TestClient::hugeAnswerIsRefused()
{
    const QByteArray head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\n\r\n";
    m_docker->enqueue(head + QByteArray(3 << 20, 'x'));
    const auto result = wait(m_client->fetchArchive(u"x"_s, u"/"_s, 1 << 20));
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Limit);
    m_docker->enqueue(FakeDocker::answer(200, QByteArray(1 << 20, 'x')));
    const auto exact = wait(m_client->fetchArchive(u"x"_s, u"/"_s, 1 << 20));
    QVERIFY(exact);
    QCOMPARE(exact->size(), 1 << 20);
}

void TestClient::redirectIsNotFollowed()
{
    m_docker->enqueueJson(301, {}, "Location: /elsewhere\r\n");
    m_docker->enqueueJson(200, R"({"Id":"sha256:evil"})");
    const auto result = wait(m_client->inspectImage(u"x"_s));
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Protocol);
    QCOMPARE(result.error().httpStatus, 301);
    QCOMPARE(m_docker->requests().size(), 1);
}

void TestClient::answerInSmallPiecesIsWhole()
{
    QSignalSpy requested(m_docker.get(), &FakeDocker::requested);
    const auto result = start(m_client->inspectImage(u"x"_s));
    QTRY_COMPARE_WITH_TIMEOUT(requested.size(), 1, patience);
    const auto bytes = FakeDocker::answer(200, R"({"Id":"sha256:1","RepoTags":["a:b"]})");
    for (const char byte : bytes) {
        m_docker->connection()->write(&byte, 1);
        QCoreApplication::processEvents();
    }
    QTRY_VERIFY_WITH_TIMEOUT(*result, patience);
    QVERIFY(**result);
    QCOMPARE((**result)->tags, QStringList { u"a:b"_s });
}

void TestClient::cancelEndsACall()
{
    QSignalSpy requested(m_docker.get(), &FakeDocker::requested);
    const CancelToken cancel;
    const auto result = start(m_client->startContainer(u"x"_s, cancel));
    QTRY_COMPARE_WITH_TIMEOUT(requested.size(), 1, patience);
    QVERIFY(!*result);
    cancel.cancel();
    QVERIFY(!*result); // Nobody is resumed from within cancel().
    QTRY_VERIFY_WITH_TIMEOUT(*result, patience);
    QVERIFY(!**result);
    QCOMPARE((*result)->error(), cancelled());
    QTRY_COMPARE_WITH_TIMEOUT(m_docker->openConnections(), 0, patience);
}

void TestClient::cancelBeforeTheCall()
{
    const CancelToken cancel;
    cancel.cancel();
    const auto result = wait(m_client->startContainer(u"x"_s, cancel));
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Cancelled);
    m_docker->enqueueJson(200, R"({"Id":"sha256:1"})");
    QVERIFY(wait(m_client->inspectImage(u"x"_s)));
    QCOMPARE(m_docker->requests().size(), 1); // The first was never sent.
}

void TestClient::cancelInMidAnswer()
{
    m_docker->enqueue(FakeDocker::answer(200, R"({"Id":"1"})").chopped(3));
    QSignalSpy requested(m_docker.get(), &FakeDocker::requested);
    const CancelToken cancel;
    const auto result = start(m_client->inspectImage(u"x"_s, cancel));
    QTRY_COMPARE_WITH_TIMEOUT(requested.size(), 1, patience);
    QCoreApplication::processEvents();
    cancel.cancel();
    QTRY_VERIFY_WITH_TIMEOUT(*result, patience);
    QCOMPARE((*result)->error().kind, Kind::Cancelled);
}

void TestClient::destroyingTheClientEndsItsCalls()
{
    QSignalSpy requested(m_docker.get(), &FakeDocker::requested);
    const auto call = start(m_client->startContainer(u"x"_s));
    const auto waiting = start(m_client->waitContainer(u"x"_s));
    const auto attaching = start(m_client->attach(u"x"_s));
    QTRY_VERIFY_WITH_TIMEOUT(requested.size() >= 3, patience);
    m_client.reset();
    QVERIFY(*call && *waiting && *attaching);
    QCOMPARE((*call)->error().kind, Kind::Cancelled);
    QCOMPARE((*waiting)->error().kind, Kind::Cancelled);
    QCOMPARE((*attaching)->error().kind, Kind::Cancelled);
    QTRY_COMPARE_WITH_TIMEOUT(m_docker->openConnections(), 0, patience);
}

void TestClient::callAfterTheAnswerReusesTheConnection()
{
    for (int i = 0; i < 5; ++i) {
        m_docker->enqueueJson(200, R"({"Id":"sha256:1"})");
        QVERIFY(wait(m_client->inspectImage(u"x"_s)));
    }
    QCOMPARE(m_docker->openConnections(), 1);
}

void TestClient::daemonDiesInMidCall()
{
    QSignalSpy requested(m_docker.get(), &FakeDocker::requested);
    const auto result = start(m_client->waitContainer(u"x"_s));
    QTRY_COMPARE_WITH_TIMEOUT(requested.size(), 1, patience);
    m_docker->die();
    QTRY_VERIFY_WITH_TIMEOUT(*result, patience);
    QCOMPARE((*result)->error().kind, Kind::Unreachable);
    const auto next = wait(m_client->startContainer(u"x"_s));
    QVERIFY(!next);
    QCOMPARE(next.error().kind, Kind::Unreachable);
    QVERIFY2(next.error().message.contains(u"start Docker"_s), qPrintable(next.error().message));
}

void TestClient::progressIsTold()
{
    m_docker->enqueueJson(200,
        R"({"status":"Pulling from library/x","id":"latest"})"
        "\r\n"
        R"({"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"abc"})"
        "\r\n\r\n"
        R"({"status":"Done"})");
    QList<Progress> lines;
    const auto handler = [&lines](const Progress& progress) { lines << progress; };
    QVERIFY(wait(m_client->pullImage(u"x"_s, handler)));
    QCOMPARE(lines.size(), 3);
    QCOMPARE(lines.at(1).id, u"abc"_s);
    QCOMPARE(lines.at(1).current, 5);
    QCOMPARE(lines.at(1).total, 10);
    QCOMPARE(lines.at(2).status, u"Done"_s);
}

void TestClient::failingBuildTellsItsOutput()
{
    m_docker->enqueueJson(200, "OK");
    m_docker->enqueueJson(200, R"({"stream":"Step 1/1 : RUN false\n"}
{"stream":"pip: no matching distribution\n"}
{"errorDetail":{"code":1,"message":"The command '/bin/sh -c false' returned a non-zero code: 1"},"error":"The command"}
)");
    const QTemporaryDir directory;
    BuildSpec spec;
    spec.contextPath = writeFile(directory, "tar");
    const auto result = wait(m_client->buildImage(spec, {}));
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Internal);
    QVERIFY(result.error().message.contains(u"returned a non-zero code"_s));
    QVERIFY(result.error().message.contains(u"no matching distribution"_s));
}

void TestClient::uploadIsTheWholeFile()
{
    QByteArray content(5 << 20, '\0');
    for (qsizetype i = 0; i < content.size(); ++i)
        content[i] = char(i * 31 % 251);
    const QTemporaryDir directory;
    BuildSpec spec;
    spec.contextPath = writeFile(directory, content);
    spec.tag = u"isol8:test"_s;
    spec.labels = { { u"a"_s, u"b"_s } };
    spec.arguments = { { u"X"_s, u"y z"_s } };
    spec.networkMode = u"none"_s;
    spec.isCacheUsed = false;
    m_docker->enqueueJson(200, "OK");
    m_docker->enqueueJson(200, R"({"stream":"ok"}
{"aux":{"ID":"sha256:42"}}
)");
    const auto id = wait(m_client->buildImage(spec, {}));
    QVERIFY2(id, qPrintable(id ? QString() : id.error().message));
    QCOMPARE(*id, u"sha256:42"_s);
    const auto& request = m_docker->requests().last();
    QVERIFY(request.body == content);
    QCOMPARE(request.headers.value("content-type"), "application/x-tar");
    const auto query = lastQuery();
    QCOMPARE(query.queryItemValue(u"t"_s, QUrl::FullyDecoded), u"isol8:test"_s);
    QCOMPARE(query.queryItemValue(u"labels"_s, QUrl::FullyDecoded), uR"({"a":"b"})"_s);
    QCOMPARE(query.queryItemValue(u"buildargs"_s, QUrl::FullyDecoded), uR"({"X":"y z"})"_s);
    QCOMPARE(query.queryItemValue(u"networkmode"_s), u"none"_s);
    QCOMPARE(query.queryItemValue(u"nocache"_s), u"1"_s);
}

void TestClient::uploadSettlesTheVersionFirst()
{
    const QTemporaryDir directory;
    m_docker->enqueueJson(400,
        R"({"message":"client version 1.41 is too old. Minimum supported API version is 1.44, x"})");
    m_docker->enqueueJson(200, "OK");
    m_docker->enqueueJson(200, R"({"status":"sha256:7"})");
    const auto id = wait(m_client->importImage(writeFile(directory, "tar"), {}, {}, {}));
    QVERIFY(id);
    QCOMPARE(*id, u"sha256:7"_s);
    QCOMPARE(m_docker->requests().at(1).target, "/v1.44/_ping");
    QCOMPARE(m_docker->requests().at(2).target, "/v1.44/images/create?fromSrc=-");
    QCOMPARE(m_docker->requests().at(2).body, "tar");
}

void TestClient::missingUploadIsAnError()
{
    m_docker->enqueueJson(200, "OK");
    const auto result = wait(m_client->importImage(u"/nonexistent/x.tar"_s, {}, {}, {}));
    QVERIFY(!result);
    QVERIFY(result.error().message.contains(u"/nonexistent/x.tar"_s));
}

void TestClient::endlessProgressLineIsRefused()
{
    m_docker->enqueue("HTTP/1.1 200 OK\r\n\r\n{\"status\":\"" + QByteArray(3 << 20, 'x'));
    const auto result = wait(m_client->pullImage(u"x"_s, {}));
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Protocol);
}

void TestClient::pullAsksForOneTag_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("image");
    QTest::addColumn<QString>("tag");
    QTest::newRow("no tag") << u"python"_s << u"python"_s << u"latest"_s;
    QTest::newRow("tag") << u"python:3.13-slim"_s << u"python"_s << u"3.13-slim"_s;
    QTest::newRow("port") << u"host:5000/a/b"_s << u"host:5000/a/b"_s << u"latest"_s;
    QTest::newRow("port, tag") << u"host:5000/a:1"_s << u"host:5000/a"_s << u"1"_s;
    QTest::newRow("digest") << u"a@sha256:12"_s << u"a"_s << u"sha256:12"_s;
}

void TestClient::pullAsksForOneTag()
{
    QFETCH(QString, name);
    m_docker->enqueueJson(200, R"({"status":"ok"})");
    QVERIFY(wait(m_client->pullImage(name, {})));
    QTEST(lastQuery().queryItemValue(u"fromImage"_s, QUrl::FullyDecoded), "image");
    QTEST(lastQuery().queryItemValue(u"tag"_s, QUrl::FullyDecoded), "tag");
}

void TestClient::importSplitsItsReference_data()
{
    QTest::addColumn<QString>("reference");
    QTest::addColumn<QString>("repository");
    QTest::addColumn<QString>("tag");
    QTest::newRow("both") << u"isol8:base"_s << u"isol8"_s << u"base"_s;
    QTest::newRow("name") << u"isol8"_s << u"isol8"_s << QString();
    QTest::newRow("none") << QString() << QString() << QString();
}

void TestClient::importSplitsItsReference()
{
    QFETCH(QString, reference);
    const QTemporaryDir directory;
    m_docker->enqueueJson(200, "OK");
    m_docker->enqueueJson(200, R"({"status":"sha256:7"})");
    QVERIFY(wait(m_client->importImage(
        writeFile(directory, "tar"), reference, { u"ENV A=b"_s, u"CMD x"_s }, {})));
    QTEST(lastQuery().queryItemValue(u"repo"_s), "repository");
    QTEST(lastQuery().queryItemValue(u"tag"_s), "tag");
    QCOMPARE(lastQuery().allQueryItemValues(u"changes"_s, QUrl::FullyDecoded),
        (QStringList { u"ENV A=b"_s, u"CMD x"_s }));
}

void TestClient::progressHandlerMayCancel()
{
    m_docker->enqueue("HTTP/1.1 200 OK\r\n\r\n{\"status\":\"one\"}\n{\"status\":\"two\"}\n");
    const CancelToken cancel;
    const auto result
        = wait(m_client->pullImage(u"x"_s, [cancel](const Progress&) { cancel.cancel(); }, cancel));
    QVERIFY(!result);
    QCOMPARE(result.error().kind, Kind::Cancelled);
}

QTEST_GUILESS_MAIN(TestClient)
#include "tst_client.moc"
