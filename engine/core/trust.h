// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QByteArray>
#include <QHash>

namespace isol8 {

/// The project configuration files whose dangerous keys the user agreed to: canonical path and
/// SHA-256 of the content, kept in `~/.isol8/trusted.json` (mode 0600). A changed file is no longer
/// trusted.
class TrustStore {
public:
    /// @p home is the user's home directory.
    explicit TrustStore(const QString& home);

    [[nodiscard]] Result<bool> isTrusted(const QString& path, const QByteArray& content) const;

    /// Remembers @p path as it is now.
    [[nodiscard]] Result<> trust(const QString& path) const;

private:
    [[nodiscard]] Result<QHash<QString, QString>> entries() const;

    QString m_storePath;
};

} // namespace isol8
