// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/sandboxsource.h"

#include <QJsonObject>

namespace isol8 {

// The command line's pool of one: a started container that nobody has used, left behind by one
// command for the next. Its name says everything that it was made with and whose it is; whoever
// renames it first has it. Its guest ends itself when nobody does for some minutes, and with its
// host once somebody has.

/// What it takes to make one.
struct SpareOrder {
    QString name; ///< Of the container, as long as nobody has claimed it.
    QString image; ///< Id.
    QString runtime;
    QJsonObject container; ///< As Docker takes it.

    [[nodiscard]] QByteArray toJson() const;
    [[nodiscard]] static Result<SpareOrder> fromJson(const QByteArray& json);
};

/// The spare for @p request, taken; Kind::NotFound without one. In any case it is noted in the
/// engine what the next one should be.
[[nodiscard]] Task<AcquiredSandbox> claimSpare(
    EngineState engine, SandboxRequest request, CancelToken cancel);

/// Makes it, unless there is one, and removes this user's others of the same runtime.
[[nodiscard]] Task<> makeSpare(std::shared_ptr<docker::Client> client, QString stateDirectory,
    SpareOrder order, CancelToken cancel);

} // namespace isol8
