// SPDX-License-Identifier: MIT
#pragma once

#include "engine/audit/auditrecord.h"
#include "engine/core/task.h"

namespace isol8 {

/// Notes every run of one engine in the audit log, as the settings say: in a file or on standard
/// output, from a thread of its own, and starts the operator's script after that. Owned by the
/// engine; await finish() before its end. Does nothing when auditing is off.
///
/// A line that cannot be written is kept (up to 1,000 lines and 16 MiB) and written before the next
/// one. The first failure is said in a warning, and so is its end.
class AuditLog {
public:
    /// @p settings without a directory: $ISOL8_AUDIT_DIR, else `.isol8_audit` in the current one.
    explicit AuditLog(Settings::Audit settings);
    ~AuditLog();
    Q_DISABLE_COPY_MOVE(AuditLog)

    [[nodiscard]] bool isEnabled() const;

    /// Before a run: an error when it may not take place, since the log cannot be written and the
    /// settings ask for AuditFailure::Refuse.
    [[nodiscard]] Task<> admit(CancelToken cancel);
    /// At the end of a run; ends when the line is in the log, or has failed to get there.
    [[nodiscard]] Task<> note(AuditedRun run, SecretSet secrets);
    /// Waits until the script has ended, which has a time limit.
    [[nodiscard]] Task<> finish();

private:
    struct State;
    struct Steps;
    std::shared_ptr<State> m_state;
};

} // namespace isol8
