// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/enginefixture.h"

namespace isol8::tests {

/// Another tenant who works all the while: one small run after the other, from the beginning on.
class Neighbour : public QObject {
    Q_OBJECT

public:
    explicit Neighbour(Engine& engine);

    /// Waits for the run that goes on. True when every one went well.
    [[nodiscard]] bool finish();
    [[nodiscard]] int runs() const { return m_runs; }
    [[nodiscard]] QByteArray problem() const { return m_problem; }
    /// The slowest run.
    [[nodiscard]] std::chrono::milliseconds slowest() const { return m_slowest; }

private:
    void begin();
    void handleEnd(const Result<ExecutionResult>& result);

    Engine& m_engine;
    std::unique_ptr<Run> m_run;
    int m_runs = 0;
    bool m_isFinishing = false;
    QByteArray m_problem;
    std::chrono::milliseconds m_slowest {};
};

} // namespace isol8::tests
