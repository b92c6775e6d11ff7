// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/bytestream.h"
#include "engine/proxy/filterednetwork.h"
#include "engine/proxy/resolver.h"

#include <QHash>
#include <QTcpServer>

#include <optional>

namespace isol8::test {

/// One end of a connection in a test: remembers what it heard.
class Peer final : public QObject {
public:
    explicit Peer(std::unique_ptr<ByteStream> stream);

    ByteStream& stream() { return *m_stream; }
    void write(const QByteArray& bytes) { m_stream->write(bytes); }
    /// Received and not taken yet.
    [[nodiscard]] const QByteArray& received() const { return m_received; }
    QByteArray take() { return std::exchange(m_received, {}); }
    [[nodiscard]] bool hasFinished() const { return m_hasFinished; } ///< Sending.
    [[nodiscard]] bool isClosed() const { return m_ending.has_value(); }
    [[nodiscard]] bool isCutOff() const { return m_ending && !*m_ending; }
    [[nodiscard]] qint64 receivedBytes() const { return m_receivedBytes; }
    /// Count what comes, but do not keep it.
    void setKeeping(bool isKeeping) { m_isKeeping = isKeeping; }

private:
    std::unique_ptr<ByteStream> m_stream;
    QByteArray m_received;
    qint64 m_receivedBytes = 0;
    bool m_isKeeping = true;
    bool m_hasFinished = false;
    std::optional<Result<>> m_ending;
};

/// Two streams connected by TCP, where one side sees whether the other ended or was cut off. What
/// the system buffers is small.
struct StreamPair {
    std::unique_ptr<ByteStream> one;
    std::unique_ptr<ByteStream> other;
};
[[nodiscard]] StreamPair streamPair();

/// A server of raw bytes on a loopback address.
class RawServer final : public QTcpServer {
public:
    explicit RawServer(const QString& address = QStringLiteral("127.0.0.1"), quint16 port = 0);

    /// Connections in the order they came.
    [[nodiscard]] int count() const { return int(m_peers.size()); }
    [[nodiscard]] Peer& peer(int index) { return *m_peers[size_t(index)]; }
    void drop(int index) { m_peers[size_t(index)]->stream().abort(); }
    /// `127.0.0.1:port`.
    [[nodiscard]] QByteArray authority() const { return m_authority; }
    /// Off before the first connection: nobody reads.
    void setReading(bool isReading) { m_isReading = isReading; }

protected:
    void incomingConnection(qintptr descriptor) override;

private:
    QByteArray m_authority;
    std::vector<std::unique_ptr<Peer>> m_peers;
    bool m_isReading = true;
};

/// Answers from a table; what is not in it does not exist.
class StubResolver final : public proxy::Resolver {
public:
    QHash<QString, QList<QHostAddress>> addresses;
    QStringList asked;
    bool isSilent = false; ///< Never answers.

    [[nodiscard]] Task<QList<QHostAddress>> resolve(
        QString name, std::chrono::milliseconds timeout, CancelToken cancel) override;
};

/// A FilteredNetwork with clients and a stub resolver. Everything of the members may be changed
/// before the first connect().
class ProxyFixture {
public:
    ProxyFixture();

    NetworkFilter filter; ///< Private addresses are allowed, and every port in use.
    proxy::FilteredNetworkSettings settings;
    std::shared_ptr<StubResolver> resolver;

    /// A new connection to the proxy.
    [[nodiscard]] std::unique_ptr<Peer> connect();
    [[nodiscard]] proxy::FilteredNetwork& network();
    void end() { m_network.reset(); }

private:
    std::unique_ptr<proxy::FilteredNetwork> m_network;
};

} // namespace isol8::test
