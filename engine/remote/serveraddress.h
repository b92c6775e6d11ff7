// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QUrl>

namespace isol8::remote {

/// Where an isol8 server is.
struct ServerAddress {
    QUrl url; ///< `http` or `https`, host, port if it is not the usual one, path without `/` at its
              ///< end.

    /// Scheme, host and port, always all three: `https://example.org:443`. What a key belongs to.
    [[nodiscard]] QString origin() const;
    /// For sentences, as short as possible.
    [[nodiscard]] QString toString() const;
    /// False when others on the way could read the key: `http` to another machine.
    [[nodiscard]] bool isPrivate() const;

    bool operator==(const ServerAddress&) const = default;
};

/// Reads what was typed as `--host`. Kind::Invalid for everything but an http or https URL with a
/// host and without user name, query and fragment.
[[nodiscard]] Result<ServerAddress> parseServerAddress(const QString& text);

/// A key that can stand in a header: 1 to 4,096 visible ASCII characters. The error does not
/// contain the key.
[[nodiscard]] Result<> checkApiKey(const QString& key);

} // namespace isol8::remote
