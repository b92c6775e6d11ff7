// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/bytestream.h"
#include "engine/core/execution.h"
#include "engine/proxy/addresspolicy.h"
#include "engine/proxy/proxylimits.h"

#include <memory>

namespace isol8::proxy {

class Resolver;

/// How a FilteredNetwork does its part; the defaults are what runs use.
struct FilteredNetworkSettings {
    bool isLogged = false; ///< ExecutionOptions::isNetworkLogged; off, the log costs nothing.
    ProxyLimits limits;
    std::shared_ptr<Resolver> resolver; ///< Null: this machine's.
    AddressPolicy::LocalAddresses localAddresses; ///< Empty: those of this machine's interfaces.
};

/// The network of one run: an HTTP proxy for its programs that lets through what a NetworkFilter
/// allows. Owned by the run; destroying it ends every connection at once.
class FilteredNetwork final : public QObject {
    Q_OBJECT

public:
    /// Kind::Invalid, quoting it, when a pattern or an exception of @p filter cannot be used.
    [[nodiscard]] static Result<std::unique_ptr<FilteredNetwork>> create(
        const NetworkFilter& filter, FilteredNetworkSettings settings = {});
    ~FilteredNetwork() override;

    /// Takes a connection that a program opened to its proxy.
    void accept(std::unique_ptr<ByteStream> connection);

    /// Bytes from and to the hosts outside, without what the proxy itself answers.
    [[nodiscard]] qint64 bytesIn() const;
    [[nodiscard]] qint64 bytesOut() const;
    /// Every decision so far, by time, bounded: what was left out is counted in a last entry. Paths
    /// and hosts are the program's own words: mask secrets before they are shown.
    [[nodiscard]] QList<NetworkLogEntry> log() const;
    /// What was refused, each host once, bounded, with the option that would allow it.
    [[nodiscard]] QList<Violation> violations() const;

private:
    struct Private;
    explicit FilteredNetwork(std::unique_ptr<Private> made);
    std::unique_ptr<Private> d;
};

} // namespace isol8::proxy
