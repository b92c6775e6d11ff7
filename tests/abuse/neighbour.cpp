// SPDX-License-Identifier: MIT
#include "tests/abuse/neighbour.h"

#include <QTest>
#include <QTimer>

namespace isol8::tests {

using namespace Qt::StringLiterals;

/// Between two runs: it is disturbed, and does not disturb.
constexpr std::chrono::milliseconds pause { 1000 };

Neighbour::Neighbour(Engine& engine)
    : m_engine(engine)
{
    begin();
}

void Neighbour::begin()
{
    if (m_isFinishing)
        return;
    auto request = requestOf(Runtime::Bash, "echo $((6 * 7))");
    request.timeout = std::chrono::minutes(2);
    m_run = m_engine.start(request, {}, {});
    connect(m_run.get(), &Run::finished, this, &Neighbour::handleEnd, Qt::QueuedConnection);
}

void Neighbour::handleEnd(const Result<ExecutionResult>& result)
{
    m_run.reset();
    ++m_runs;
    if (!result)
        m_problem = result.error().message.toUtf8();
    else if (result->exitCode != 0 || result->standardOutput != "42\n")
        m_problem = "the run gave " + result->standardOutput + result->standardError;
    else
        m_slowest = std::max(
            m_slowest, std::chrono::duration_cast<std::chrono::milliseconds>(result->duration));
    if (m_problem.isEmpty())
        QTimer::singleShot(pause, this, &Neighbour::begin);
}

bool Neighbour::finish()
{
    m_isFinishing = true;
    return QTest::qWaitFor([this] { return !m_run; }, 240'000) && m_problem.isEmpty();
}

} // namespace isol8::tests
