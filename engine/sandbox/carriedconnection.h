// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/bytestream.h"
#include "engine/sandbox/guestlink.h"

#include <optional>

namespace isol8 {

/// The host's end of a connection that the guest carries. Made by GuestRun, then owned by whoever
/// took it; ends with its run at the latest.
class CarriedConnection final : public ByteStream, private GuestReceiver, private GuestSender {
    Q_OBJECT

public:
    CarriedConnection(std::shared_ptr<GuestLink> link, quint32 id);
    ~CarriedConnection() override;

    void write(const QByteArray& bytes) override;
    [[nodiscard]] qint64 pendingBytes() const override { return m_pending; }
    void setReading(bool isReading) override;
    void finishWriting() override;
    void abort() override;

private:
    /// Of one direction.
    enum class Direction { Open, Ending, Ended };

    [[nodiscard]] Result<> receive(const guest::Header& header, const QByteArray& payload) override;
    void lose(const Error& error) override;
    [[nodiscard]] bool sendPiece() override;

    [[nodiscard]] Result<> receiveData(const QByteArray& payload);
    [[nodiscard]] Result<> receiveClosed(quint32 error);
    void scheduleDelivery();
    void deliver();
    void giveCredit();
    void tellWritten();
    void leave();
    void close(const Result<>& ending);

    std::shared_ptr<GuestLink> m_link;
    quint32 m_id;
    bool m_isKnownToGuest = true;
    bool m_isOver = false; ///< Nothing is signalled any more.

    bool m_isReading = false;
    QByteArrayList m_received; ///< Waits for somebody who reads.
    quint32 m_held = 0; ///< Came and was not given back as credit,
    quint32 m_consumed = 0; ///< and of it, what was read.
    Direction m_incoming = Direction::Open; ///< Ended: and that was signalled.
    bool m_isClosedInOrder = false; ///< Said by the guest; signalled when all was read.
    bool m_isDeliveryQueued = false;

    QByteArrayList m_queue;
    qsizetype m_offset = 0; ///< Of the queue's first.
    qint64 m_pending = 0;
    quint32 m_credit = guest::connectionWindowBytes;
    Direction m_outgoing = Direction::Open; ///< Ended: and the guest knows.
    bool m_isWrittenQueued = false;
};

} // namespace isol8
