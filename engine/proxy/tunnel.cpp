// SPDX-License-Identifier: MIT
#include "engine/proxy/tunnel.h"

namespace isol8::proxy {

Tunnel::Tunnel(SharedNetwork network, ByteStream& client, std::shared_ptr<ByteStream> host)
    : m_network(std::move(network))
    , m_client(client)
    , m_host(std::move(host))
{
    connect(&m_client, &ByteStream::received, this, &Tunnel::passToHost);
    connect(&m_client, &ByteStream::written, this, [this] { balance(*m_host, m_client); });
    connect(&m_client, &ByteStream::finishedReading, this, [this] { m_host->finishWriting(); });
    connect(m_host.get(), &ByteStream::received, this, &Tunnel::passToClient);
    connect(m_host.get(), &ByteStream::written, this, [this] { balance(m_client, *m_host); });
    connect(m_host.get(), &ByteStream::finishedReading, this, [this] { m_client.finishWriting(); });
    connect(m_host.get(), &ByteStream::closed, this, &Tunnel::finished);
}

void Tunnel::start(const QByteArray& fromClient, const QByteArray& fromHost, bool hasClientEnded)
{
    if (!fromHost.isEmpty())
        m_client.write(fromHost); // Counted when it was received.
    if (!fromClient.isEmpty())
        passToHost(fromClient);
    if (hasClientEnded)
        m_host->finishWriting();
    balance(m_client, *m_host);
    balance(*m_host, m_client);
}

void Tunnel::passToHost(const QByteArray& bytes)
{
    m_network->bytesOut += bytes.size();
    m_host->write(bytes);
    balance(m_client, *m_host);
}

void Tunnel::passToClient(const QByteArray& bytes)
{
    m_network->bytesIn += bytes.size();
    m_client.write(bytes);
    balance(*m_host, m_client);
}

void Tunnel::balance(ByteStream& from, const ByteStream& to) const
{
    const auto pending = to.pendingBytes();
    if (pending >= m_network->limits.highWaterBytes)
        from.setReading(false);
    else if (pending <= m_network->limits.lowWaterBytes)
        from.setReading(true);
}

} // namespace isol8::proxy
