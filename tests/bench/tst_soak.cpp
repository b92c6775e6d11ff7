// SPDX-License-Identifier: MIT
#include "engine/core/owner.h"
#include "engine/docker/client.h"
#include "engine/sandbox/labels.h"
#include "tests/bench/httpclient.h"
#include "tests/support/serverprocess.h"

#include <QCoroTask>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QRandomGenerator>
#include <QTest>

#include <atomic>
#include <mutex>
#include <thread>

using namespace isol8;
using namespace isol8::tests;
using namespace Qt::StringLiterals;

namespace {

constexpr int clients = 8;
constexpr int runsPerFault = 10;
/// 64 MiB of it are results that it keeps for a while (GET /executions/:id).
constexpr qint64 maxGrowthBytes = 96 << 20;
constexpr int maxNewDescriptors = 16;

/// What one run asks for, and what its answer has to hold.
struct Job {
    QByteArray body;
    bool isAbandoned = false;
    std::function<bool(const QJsonObject& result)> isRight;
};

QByteArray bodyOf(const QJsonObject& request, const QJsonObject& options = {})
{
    return QJsonDocument(QJsonObject { { u"request"_s, request }, { u"options"_s, options } })
        .toJson(QJsonDocument::Compact);
}

Job makeJob(quint32 choice, const QString& token)
{
    const auto says = [](const QString& text, int code = 0) {
        return [text, code](const QJsonObject& result) {
            return result.value(u"stdout"_s) == text && result.value(u"exitCode"_s) == code;
        };
    };
    const auto runtime = [](const char* name) {
        return std::pair { u"runtime"_s, QJsonValue(QString::fromLatin1(name)) };
    };
    switch (choice % 9) {
    case 0:
        return { bodyOf({ { u"code"_s, u"print('%1')"_s.arg(token) }, runtime("python") }), false,
            says(token) };
    case 1:
        return { bodyOf({ { u"cmd"_s, u"echo %1; exit 7"_s.arg(token) }, runtime("bash") }), false,
            says(token, 7) };
    case 2:
        return { bodyOf({ { u"code"_s, u"console.log('%1')"_s.arg(token) }, runtime("node") }),
            false, says(token) };
    case 3:
        return { bodyOf({ { u"code"_s, u"import sys; print(sys.stdin.read())"_s },
                     { u"stdin"_s, token }, runtime("python") }),
            false, says(token) };
    case 4:
        return { bodyOf({ { u"cmd"_s, u"echo %1 >out.txt"_s.arg(token) },
                     { u"outputPaths"_s, QJsonArray { u"out.txt"_s } }, runtime("bash") }),
            false, [token](const QJsonObject& result) {
                const auto file = result.value(u"files"_s).toObject().value(u"out.txt"_s);
                return QByteArray::fromBase64(file.toString().toLatin1()).trimmed()
                    == token.toLatin1();
            } };
    case 5:
        return { bodyOf({ { u"cmd"_s,
                              u"echo %1; head -c 3000000 /dev/zero | tr '\\0' x"_s.arg(token) },
                     runtime("bash") }),
            false, [token](const QJsonObject& result) {
                return result.value(u"stdout"_s).toString().startsWith(token)
                    && result.value(u"truncated"_s).toBool();
            } };
    case 6:
        return { bodyOf(
                     { { u"code"_s, u"print('%1', flush=True); x = bytearray(10**9)"_s.arg(token) },
                         runtime("python") },
                     { { u"memoryLimit"_s, u"64m"_s } }),
            false, [token](const QJsonObject& result) {
                return result.value(u"stdout"_s) == token && result.value(u"exitCode"_s) != 0;
            } };
    case 7:
        return { bodyOf({ { u"cmd"_s, u"echo %1; sleep 60"_s.arg(token) }, { u"timeoutMs"_s, 400 },
                     runtime("bash") }),
            false, [](const QJsonObject& result) { return result.value(u"timedOut"_s).toBool(); } };
    default:
        return { bodyOf({ { u"cmd"_s, u"sleep 1"_s }, runtime("bash") }), true, {} };
    }
}

} // namespace

/// Many runs of many kinds while containers are killed, stopped and removed from outside.
/// `ISOL8_SOAK_RUNS=5000 tst_soak` for a long one; with `ISOL8_SOAK_RESTART=COMMAND`, which
/// restarts Docker, that is done twice on the way.
class TestSoak : public QObject {
    Q_OBJECT

public:
    /// Qt Test would end a long one after five minutes.
    static void initMain()
    {
        if (qEnvironmentVariableIsSet("ISOL8_SOAK_RUNS"))
            qputenv("QTEST_FUNCTION_TIMEOUT", "7200000");
    }

private Q_SLOTS:
    void staysRightWhateverHappens();

private:
    void work(int client, quint16 port, int runs);
    void injectFault(docker::Client& docker, qint64 server);
    void restartDocker(docker::Client& docker);
    [[nodiscard]] QList<docker::ContainerSummary> containersOf(docker::Client& docker, qint64 pid);

    std::atomic<int> m_right = 0;
    std::atomic<int> m_abandoned = 0;
    std::atomic<int> m_begun = 0;
    std::atomic<int> m_working = clients;
    std::atomic<int> m_restarts = 0;
    std::atomic<bool> m_isDockerAway = false;
    std::mutex m_mutex;
    QByteArrayList m_errors; ///< Answers that said that isol8 could not.
    QByteArrayList m_wrong;
    int m_refused = 0; ///< Errors while Docker was away.
    int m_faults = 0;
};

void TestSoak::work(int client, quint16 port, int runs)
{
    QRandomGenerator random(quint32(client + 1));
    auto http = std::make_unique<bench::HttpClient>(port);
    for (int i = 0; i < runs; ++i) {
        const auto token = u"token-%1-%2-%3"_s.arg(client).arg(i).arg(random.generate());
        const auto job = makeJob(random.generate(), token);
        if (job.isAbandoned) {
            http->abandon("/execute", job.body);
            http = std::make_unique<bench::HttpClient>(port);
            ++m_abandoned;
            continue;
        }
        ++m_begun;
        const int restarts = m_restarts;
        const auto answer = http->exchange("/execute", job.body);
        const auto result = QJsonDocument::fromJson(answer.body).object();
        if (answer.status == 200 && job.isRight(result)) {
            ++m_right;
            continue;
        }
        const auto reason = result.value(u"ending"_s).toObject().value(u"reason"_s).toString();
        // A container that stands still is ended at its deadline.
        const bool isClear = (answer.status >= 500 && result.contains(u"error"_s))
            || reason == "engine-lost"_L1 || (answer.status == 200 && reason == "timeout"_L1)
            || !result.value(u"missingFiles"_s).toArray().isEmpty(); // Each says why.
        const bool isRefused = isClear && (m_isDockerAway || restarts != m_restarts);
        if (isRefused)
            m_isDockerAway.wait(true);
        const std::scoped_lock lock(m_mutex);
        if (isRefused)
            ++m_refused;
        else
            (isClear ? m_errors : m_wrong) << QByteArray::number(answer.status) + ' '
                    + answer.body.left(1500) + " for " + job.body.left(200);
    }
    --m_working;
}

QList<docker::ContainerSummary> TestSoak::containersOf(docker::Client& docker, qint64 pid)
{
    QList<docker::ContainerSummary> own;
    const auto all = QCoro::waitFor(docker.listContainers({ labels::managed + u"=true"_s }));
    for (const auto& container : all.value_or(QList<docker::ContainerSummary>())) {
        const auto owner = Owner::fromString(container.labels.value(labels::owner));
        if (owner && owner->pid == pid)
            own << container;
    }
    return own;
}

void TestSoak::injectFault(docker::Client& docker, qint64 server)
{
    const auto all = containersOf(docker, server);
    if (all.isEmpty())
        return;
    const auto& victim = all.at(QRandomGenerator::global()->bounded(all.size()));
    ++m_faults;
    switch (m_faults % 3) {
    case 0:
        (void)QCoro::waitFor(docker.killContainer(victim.id, u"SIGKILL"_s));
        break;
    case 1:
        (void)QCoro::waitFor(docker.killContainer(victim.id, u"SIGSTOP"_s));
        break;
    default:
        (void)QCoro::waitFor(docker.removeContainer(victim.id));
    }
}

void TestSoak::restartDocker(docker::Client& docker)
{
    m_isDockerAway = true;
    ++m_restarts;
    QCOMPARE(
        QProcess::execute(u"sh"_s, { u"-c"_s, qEnvironmentVariable("ISOL8_SOAK_RESTART") }), 0);
    QTRY_VERIFY_WITH_TIMEOUT(QCoro::waitFor(docker.listContainers({})), 120'000);
    m_isDockerAway = false;
    m_isDockerAway.notify_all();
}

void TestSoak::staysRightWhateverHappens()
{
    const int runs = std::max(300, qEnvironmentVariableIntValue("ISOL8_SOAK_RUNS"));
    const auto endpoint = docker::resolveEndpoint();
    QVERIFY(endpoint);
    docker::Client docker(*endpoint);
    ServerProcess::Options options;
    options.config = { { u"maxConcurrent"_s, clients },
        { u"defaults"_s, QJsonObject { { u"timeoutMs"_s, 15'000 } } } };
    ServerProcess server(options);
    QVERIFY2(server.start(), server.log());
    const auto simple = bodyOf({ { u"cmd"_s, u"echo well"_s }, { u"runtime"_s, u"bash"_s } });
    QVERIFY(bench::HttpClient(server.port()).post("/execute", simple).contains("well"));
    const auto residentBefore = server.residentBytes();
    const int descriptorsBefore = server.descriptorCount();

    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i)
        threads.emplace_back(
            [this, i, runs, port = server.port()] { work(i, port, runs / clients + 1); });
    const int wantedRestarts = qEnvironmentVariableIsSet("ISOL8_SOAK_RESTART") ? 2 : 0;
    while (m_working > 0) {
        injectFault(docker, server.pid());
        if (m_restarts < wantedRestarts && m_begun > runs * (m_restarts + 1) / (wantedRestarts + 1))
            restartDocker(docker);
        const int next = m_begun + runsPerFault;
        (void)QTest::qWaitFor([&] { return m_working == 0 || m_begun >= next; }, 60'000);
    }
    for (auto& thread : threads)
        thread.join();
    qInfo("%d right, %lld errors, %d abandoned, %d faults, %d refused in %d restarts of Docker",
        m_right.load(), static_cast<long long>(m_errors.size()), m_abandoned.load(), m_faults,
        m_refused, m_restarts.load());
    for (const auto& error : std::as_const(m_errors))
        qInfo("%s", error.constData());

    if (!m_wrong.isEmpty() || !m_errors.isEmpty())
        qInfo("the server's log:\n%s", server.log().right(100'000).constData());
    QVERIFY2(m_wrong.isEmpty(), m_wrong.value(0));
    // A fault hits one run at most.
    QVERIFY(m_errors.size() <= m_faults);
    QVERIFY(m_right > m_errors.size());
    QVERIFY(bench::HttpClient(server.port()).post("/execute", simple).contains("well"));
    QTRY_VERIFY_WITH_TIMEOUT(server.residentBytes() <= residentBefore + maxGrowthBytes, 60'000);
    // The pool's own connections are part of it.
    QTRY_VERIFY_WITH_TIMEOUT(server.descriptorCount() <= descriptorsBefore + maxNewDescriptors
                + int(containersOf(docker, server.pid()).size()),
        60'000);
    QCOMPARE(server.terminate(), 0);
    QTRY_VERIFY_WITH_TIMEOUT(containersOf(docker, server.pid()).isEmpty(), 60'000);
}

QTEST_GUILESS_MAIN(TestSoak)
#include "tst_soak.moc"
