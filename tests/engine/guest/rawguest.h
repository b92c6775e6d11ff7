// SPDX-License-Identifier: MIT
#pragma once

#include "tests/engine/guest/guestprocess.h"

namespace isol8::test {

/// A guest that is spoken to in bytes.
struct RawGuest {
    explicit RawGuest(const QStringList& arguments = {});

    [[nodiscard]] static QByteArray hello();
    /// A run of `sh -c script`.
    [[nodiscard]] static QByteArray startFrames(
        quint32 id, const QByteArray& script, quint32 flags = 0);

    QByteArray answer;
    QString ended; ///< Why; empty while it lives.
    GuestProcess process;
};

} // namespace isol8::test
