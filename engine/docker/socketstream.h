// SPDX-License-Identifier: MIT
#pragma once

#include "engine/docker/attachedstream.h"
#include "engine/docker/endpointsocket.h"
#include "engine/docker/streamdemux.h"
#include "engine/docker/transport.h"

#include <memory>

namespace isol8::docker {

/// AttachedStream over a socket whose HTTP upgrade is done.
class SocketStream final : public AttachedStream {
    Q_OBJECT

public:
    /// @p early: what was read behind the upgrade's answer.
    SocketStream(std::shared_ptr<EndpointSocket> socket, QByteArray early);
    ~SocketStream() override;

    void write(const QByteArray& bytes) override;
    [[nodiscard]] qint64 pendingBytes() const override;
    void setReading(bool isReading) override;
    void close() override;

private:
    void schedulePump();
    void pump();
    [[nodiscard]] bool readChunk();
    void finish(const Error& reason);

    std::shared_ptr<EndpointSocket> m_socket; ///< Null after the end.
    StreamDemux m_demux;
    QByteArray m_chunk;
    qsizetype m_at = 0; ///< What of m_chunk has been passed on.
    bool m_isReading = false;
    bool m_isPumpScheduled = false;
};

/// Attaches to all three streams: `POST /containers/{id}/attach` with an upgrade.
[[nodiscard]] Task<std::shared_ptr<AttachedStream>> attachContainer(
    std::shared_ptr<Transport> transport, QString id, CancelToken cancel);

} // namespace isol8::docker
