// SPDX-License-Identifier: MIT
#include "engine/proxy/networkstate.h"

#include "engine/proxy/dialer.h"

#include <algorithm>

namespace isol8::proxy {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxViolations = 20;

} // namespace

http::HttpLimits NetworkState::headLimits() const
{
    http::HttpLimits head;
    head.maxHeaderBytes = limits.maxHeadBytes;
    head.maxHeaderFields = limits.maxHeadFields;
    return head;
}

void NetworkState::addViolation(const Refusal& refusal)
{
    const Violation violation { u"network"_s, refusal.reason, refusal.allowWith };
    if (violations.contains(violation))
        return;
    if (violations.size() < maxViolations)
        violations.append(violation);
    else
        ++violationsLeftOut;
}

Task<Reached> reach(SharedNetwork network, HostAndPort target, CancelToken cancel)
{
    QList<QHostAddress> addresses { target.host.address };
    if (!target.host.isAddress()) {
        auto found = co_await network->resolver->resolve(
            target.host.text, network->limits.lookupTimeout, cancel);
        if (!found)
            co_return std::unexpected(found.error());
        addresses = std::move(*found);
    }
    for (const auto& address : addresses) {
        if (auto refusal = network->rules.refuseAddress(target, address))
            co_return Reached { nullptr, std::move(refusal) };
    }
    auto stream = co_await dial(addresses, target.port, network->limits.connectTimeout, cancel);
    if (!stream)
        co_return std::unexpected(
            stream.error().within(u"%1 cannot be reached"_s.arg(target.toString())));
    co_return Reached { std::move(*stream), std::nullopt };
}

} // namespace isol8::proxy
