// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/bytestream.h"
#include "engine/http/httplimits.h"
#include "engine/proxy/networklog.h"
#include "engine/proxy/networkrules.h"
#include "engine/proxy/proxylimits.h"
#include "engine/proxy/resolver.h"

#include <memory>

namespace isol8::proxy {

/// What all connections of one FilteredNetwork share. Kept alive by each of them and by what they
/// wait for.
struct NetworkState {
    NetworkRules rules;
    NetworkLog log;
    ProxyLimits limits;
    std::shared_ptr<Resolver> resolver;
    QList<Violation> violations;
    qint64 violationsLeftOut = 0;
    qint64 bytesIn = 0; ///< From hosts outside.
    qint64 bytesOut = 0;

    [[nodiscard]] http::HttpLimits headLimits() const;
    /// Notes what was refused, once for the same words.
    void addViolation(const Refusal& refusal);
};

using SharedNetwork = std::shared_ptr<NetworkState>;

struct Reached {
    std::shared_ptr<ByteStream> stream; ///< Null: refused.
    std::optional<Refusal> refusal;
};

/// Resolves @p target once, checks every address and connects to one of those. A name that points
/// to a refused address as well is refused. Kind::NotFound (no such name), Unreachable, Timeout or
/// Cancelled.
[[nodiscard]] Task<Reached> reach(SharedNetwork network, HostAndPort target, CancelToken cancel);

} // namespace isol8::proxy
