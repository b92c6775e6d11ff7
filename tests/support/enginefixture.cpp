// SPDX-License-Identifier: MIT
#include "tests/support/enginefixture.h"

#include "engine/core/owner.h"
#include "engine/docker/client.h"
#include "engine/sandbox/labels.h"

#include <QFile>
#include <QTest>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {
constexpr std::chrono::minutes patience { 2 };

docker::Endpoint endpoint()
{
    const auto resolved = docker::resolveEndpoint();
    if (!resolved)
        qFatal("no Docker endpoint: %s", qPrintable(resolved.error().message));
    return *resolved;
}
} // namespace

WatchedRun::WatchedRun(std::unique_ptr<Run> run)
    : m_run(std::move(run))
{
    connect(m_run.get(), &Run::started, this, [this](const QString& id) {
        ++signalCount;
        isStarted = true;
        containerId = id;
    });
    connect(m_run.get(), &Run::stdinAccepted, this, [this] { ++signalCount; });
    connect(
        m_run.get(), &Run::outputReceived, this, [this](Channel channel, const QByteArray& bytes) {
            ++signalCount;
            ++outputSignals;
            (channel == Channel::Stdout ? standardOutput : standardError) += bytes;
        });
    connect(m_run.get(), &Run::finished, this, [this](const Result<ExecutionResult>& result) {
        ++signalCount;
        m_result = result;
    });
}

Result<ExecutionResult> WatchedRun::result()
{
    if (!QTest::qWaitFor([this] { return m_result.has_value(); }, QDeadlineTimer(patience)))
        return failure(Kind::Timeout, u"the test's patience ended"_s);
    return *m_result;
}

bool WatchedRun::waitForOutput(const QByteArray& text)
{
    const bool isEnded
        = QTest::qWaitFor([&] { return m_result.has_value() || standardOutput.contains(text); },
            QDeadlineTimer(patience));
    return isEnded && standardOutput.contains(text);
}

bool WatchedRun::waitForStart()
{
    return QTest::qWaitFor(
               [this] { return m_result.has_value() || isStarted; }, QDeadlineTimer(patience))
        && isStarted;
}

EngineFixture::EngineFixture()
    : m_client(std::make_shared<docker::Client>(endpoint()))
{
    makeEngine();
}

EngineFixture::~EngineFixture()
{
    (void)QCoro::waitFor(m_engine->shutdown());
}

void EngineFixture::makeEngine()
{
    DockerEngineSettings settings;
    settings.stateDirectory = m_state.path();
    settings.pool = m_pool;
    m_engine = std::make_shared<DockerEngine>(endpoint(), settings);
}

void EngineFixture::restartWithPool(const std::optional<PoolLimits>& limits)
{
    m_pool = limits;
    restart();
}

void EngineFixture::restart()
{
    (void)QCoro::waitFor(m_engine->shutdown());
    makeEngine();
}

Result<ExecutionResult> EngineFixture::run(
    Runtime runtime, const QByteArray& code, const ExecutionOptions& options)
{
    return run(requestOf(runtime, code), options);
}

Result<ExecutionResult> EngineFixture::run(
    const ExecutionRequest& request, const ExecutionOptions& options, const QString& session)
{
    return start(request, options, session)->result();
}

std::unique_ptr<WatchedRun> EngineFixture::start(
    const ExecutionRequest& request, const ExecutionOptions& options, const QString& session)
{
    return std::make_unique<WatchedRun>(engine().start(request, options, session));
}

QStringList EngineFixture::containers(const QString& kind)
{
    const auto own = QCoro::waitFor(m_client->listContainers(
        { labels::owner + u'=' + Owner::self().toString(), labels::kind + u'=' + kind }));
    if (!own)
        return { own.error().message };
    QStringList ids;
    for (const auto& container : *own)
        ids << container.id;
    return ids;
}

bool EngineFixture::isNothingLeft()
{
    const auto owner = Owner::self().toString();
    return QTest::qWaitFor(
        [&] {
            const auto own
                = QCoro::waitFor(m_client->listContainers({ labels::owner + u'=' + owner }));
            return own && std::ranges::none_of(*own, [](const auto& container) {
                const auto kind = container.labels.value(labels::kind);
                return kind != "session"_L1 && kind != "kept"_L1;
            });
        },
        QDeadlineTimer(patience));
}

ExecutionRequest requestOf(Runtime runtime, const QByteArray& code)
{
    ExecutionRequest request;
    request.runtime = runtime;
    request.code = code;
    return request;
}

QString sessionNamed(const QString& name)
{
    return u"%1-%2"_s.arg(name).arg(QCoreApplication::applicationPid());
}

QByteArray testData(const QString& path)
{
    QFile file(QStringLiteral(ISOL8_TEST_DATA "/") + path);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("no test data %s", qPrintable(path));
    return file.readAll();
}

} // namespace isol8::tests
