// SPDX-License-Identifier: MIT
#include "engine/proxy/filterednetwork.h"

#include "engine/proxy/networkstate.h"
#include "engine/proxy/proxyconnection.h"

#include <algorithm>

namespace isol8::proxy {

using namespace Qt::StringLiterals;

struct FilteredNetwork::Private {
    SharedNetwork network;
    std::vector<std::unique_ptr<ProxyConnection>> connections;

    /// Whether one more may work. Those that only wait for their client to close make room.
    [[nodiscard]] bool hasRoom()
    {
        const auto working = std::ranges::count(
            connections, false, [](const auto& connection) { return connection->isRefusing(); });
        if (working < network->limits.maxConnections)
            return true;
        const auto lingering = std::ranges::find_if(connections, [](const auto& connection) {
            return !connection->isRefusing() && connection->isLingering();
        });
        if (lingering == connections.end())
            return false;
        (*lingering)->cutOff();
        return true;
    }
};

Result<std::unique_ptr<FilteredNetwork>> FilteredNetwork::create(
    const NetworkFilter& filter, FilteredNetworkSettings settings)
{
    auto rules = NetworkRules::create(filter, std::move(settings.localAddresses));
    if (!rules)
        return std::unexpected(rules.error());
    auto resolver = settings.resolver
        ? std::move(settings.resolver)
        : std::make_shared<SystemResolver>(settings.limits.maxLookups);
    auto made = std::make_unique<Private>();
    made->network = std::make_shared<NetworkState>(
        std::move(*rules), NetworkLog(settings.isLogged), settings.limits, std::move(resolver));
    return std::unique_ptr<FilteredNetwork>(new FilteredNetwork(std::move(made)));
}

FilteredNetwork::FilteredNetwork(std::unique_ptr<Private> made)
    : d(std::move(made))
{
}

FilteredNetwork::~FilteredNetwork() = default;

void FilteredNetwork::accept(std::unique_ptr<ByteStream> stream)
{
    const bool hasRoom = d->hasRoom();
    // Beside those that may work, as many may be told that there is no room.
    if (!hasRoom && d->connections.size() >= 2 * size_t(d->network->limits.maxConnections))
        return stream->abort();
    auto connection = std::make_unique<ProxyConnection>(d->network, std::move(stream));
    auto* const added = connection.get();
    d->connections.push_back(std::move(connection));
    connect(added, &ProxyConnection::finished, this, [this, added] {
        const auto found
            = std::ranges::find(d->connections, added, [](const auto& each) { return each.get(); });
        found->release()->deleteLater(); // It is on the stack.
        d->connections.erase(found);
    });
    if (hasRoom)
        added->start();
    else
        added->startRefusing();
}

qint64 FilteredNetwork::bytesIn() const
{
    return d->network->bytesIn;
}

qint64 FilteredNetwork::bytesOut() const
{
    return d->network->bytesOut;
}

QList<NetworkLogEntry> FilteredNetwork::log() const
{
    for (const auto& connection : d->connections)
        connection->updateLog();
    return d->network->log.entries();
}

QList<Violation> FilteredNetwork::violations() const
{
    auto violations = d->network->violations;
    if (d->network->violationsLeftOut > 0)
        violations.append({ u"network"_s,
            u"%1 more requests were refused"_s.arg(d->network->violationsLeftOut), {} });
    return violations;
}

} // namespace isol8::proxy
