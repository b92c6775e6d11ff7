// SPDX-License-Identifier: MIT
#pragma once

#include "engine/proxy/networkstate.h"

namespace isol8::proxy {

/// Passes bytes both ways between a program's connection and a host, unread: what follows CONNECT,
/// or an upgrade. Each direction ends on its own. Owns the host's stream only.
class Tunnel final : public QObject {
    Q_OBJECT

public:
    Tunnel(SharedNetwork network, ByteStream& client, std::shared_ptr<ByteStream> host);

    /// Begins with what came from either side already; @p hasClientEnded: it will send no more.
    void start(const QByteArray& fromClient, const QByteArray& fromHost, bool hasClientEnded);

Q_SIGNALS:
    /// Both directions have ended in order, or the host's side was cut off; once. The end of the
    /// client's stream is for its owner to notice.
    void finished();

private:
    void passToHost(const QByteArray& bytes);
    void passToClient(const QByteArray& bytes);
    /// Holds @p from back while @p to has too much to send.
    void balance(ByteStream& from, const ByteStream& to) const;

    SharedNetwork m_network;
    ByteStream& m_client;
    std::shared_ptr<ByteStream> m_host;
};

} // namespace isol8::proxy
