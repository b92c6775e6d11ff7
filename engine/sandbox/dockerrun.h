// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/runcontext.h"

namespace isol8 {

/// The Run of a DockerEngine: passes the caller's wishes to the context and its output to the
/// caller.
class DockerRun final : public Run {
    Q_OBJECT

public:
    /// Begins on the next turn of the event loop.
    explicit DockerRun(std::shared_ptr<RunContext> context);
    ~DockerRun() override;

    void writeStdin(const QByteArray& bytes) override;
    void closeStdin() override;
    [[nodiscard]] qint64 pendingStdinBytes() const override;
    void sendSignal(int number) override;
    void resizeTerminal(int rows, int columns) override;
    void setOutputPaused(bool isPaused) override;
    void cancel() override;

private:
    [[nodiscard]] bool hasProgram() const;
    std::shared_ptr<RunContext> m_context;
};

} // namespace isol8
