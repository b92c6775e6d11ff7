// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QDateTime>
#include <QMap>

#include <optional>

namespace isol8::cli {

/// A token that a server gave.
struct Credential {
    QString token;
    QString keyId; ///< The server's name for it; empty: unknown.
    QDateTime expires; ///< Invalid: never.

    bool operator==(const Credential&) const = default;
};

/// The tokens of `isol8 login` in `~/.isol8/credentials.json`, mode 0600, by origin
/// (`https://example.org:443`). Written whole or not at all. A symbolic link in its place, and a
/// file that others can read or own, is refused. No error contains a token.
class CredentialStore {
public:
    /// @p home is the user's home directory.
    explicit CredentialStore(const QString& home);

    [[nodiscard]] const QString& path() const { return m_path; }

    /// The token of exactly this origin, unless it has expired at @p now.
    [[nodiscard]] Result<std::optional<Credential>> find(
        const QString& origin, const QDateTime& now) const;
    /// Expired ones too.
    [[nodiscard]] Result<QMap<QString, Credential>> all() const;

    [[nodiscard]] Result<> save(const QString& origin, const Credential& credential) const;
    /// False when there was none.
    [[nodiscard]] Result<bool> remove(const QString& origin) const;
    /// Removes the file, damaged or not. False when there was none.
    [[nodiscard]] Result<bool> clear() const;

private:
    [[nodiscard]] Result<> write(const QMap<QString, Credential>& credentials) const;

    QString m_path;
};

} // namespace isol8::cli
