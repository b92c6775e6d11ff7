// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/completion.h"
#include "engine/sandbox/guestconnection.h"

#include <QHash>
#include <QTimer>

namespace isol8 {

class DirectSocket;
class DirectTransport;

/// Whoever waits for the frames of one id. Both calls may destroy the receiver.
class GuestReceiver {
public:
    virtual ~GuestReceiver() = default;
    /// An Error says that the frame made no sense, and ends the conversation.
    [[nodiscard]] virtual Result<> receive(const guest::Header& header, const QByteArray& payload)
        = 0;
    /// The conversation is over; nothing follows.
    virtual void lose(const Error& error) = 0;
};

/// Somebody with data to send, who shares the way to the guest with others.
class GuestSender {
public:
    virtual ~GuestSender() = default;
    /// Sends one frame. True: there is more that may be sent.
    [[nodiscard]] virtual bool sendPiece() = 0;
};

/// The frames under a GuestConnection: sends in batches, finds the greeting, hands frames to their
/// receivers, watches over silence. Shared by the connection and what runs on it; it is dead once
/// it has failed or was closed, and then ignores everything.
class GuestLink : public QObject, public std::enable_shared_from_this<GuestLink> {
    Q_OBJECT

public:
    GuestLink(std::unique_ptr<GuestTransport> transport, const GuestLimits& limits);
    ~GuestLink() override;

    /// Before greet(): the conversation goes on over @p socket if the guest can reach it.
    void offer(std::unique_ptr<DirectSocket> socket);
    /// Says Hello; delivers when the answer has come, and the way to go on is settled.
    void greet(bool mayHaveHistory, bool isLeased, const Completion<>& opened);
    [[nodiscard]] bool isOpen() const { return m_state == State::Open; }
    [[nodiscard]] bool isDirect() const { return m_attached != nullptr; }
    [[nodiscard]] int cgroupVersion() const { return m_cgroupVersion; }
    /// Why it is not open.
    [[nodiscard]] Error reason() const;

    [[nodiscard]] const GuestLimits& limits() const { return m_limits; }
    [[nodiscard]] quint32 takeId() { return m_nextId++; }
    /// @p receiver must call forget() before it is destroyed.
    void expect(quint32 id, GuestReceiver* receiver) { m_receivers.insert(id, receiver); }
    void forget(quint32 id) { m_receivers.remove(id); }
    /// The end of a run: what it carried is lost with @p error.
    void loseConnections(const Error& error);

    /// Queued until control returns to the event loop, then written with everything else.
    void send(guest::Type type, quint32 id, QByteArrayView payload = {},
        guest::Stream stream = guest::Stream::None);
    void sendU32(
        guest::Type type, quint32 id, quint32 value, guest::Stream stream = guest::Stream::None);

    /// Lets @p sender send when there is room, in turn with others; it must call unqueue() before
    /// it is destroyed. So little waits before the transport that a control frame is never late.
    void queue(GuestSender* sender);
    void unqueue(GuestSender* sender) { m_senders.removeOne(sender); }

    /// Ends the conversation with @p error.
    void fail(const Error& error);

    // The guest works on a few file operations at a time; more wait here.
    [[nodiscard]] Completion<> takePlace();
    void givePlace();

Q_SIGNALS:
    void failed(const isol8::Error& error);

private:
    enum class State { New, Greeting, Connecting, Open, Dead };

    void take(const QByteArray& bytes);
    /// Looks for the answer to Hello in anything; returns what follows it.
    QByteArray findGreeting(const QByteArray& bytes);
    void dispatch();
    void connectDirectly();
    void changeOver(int fd);
    void listenTo(GuestTransport* transport);
    void goBack();
    void takeConnected(const guest::Header& header);
    void beOpen();
    void retire(std::unique_ptr<GuestTransport>& transport);
    [[nodiscard]] GuestReceiver* receiverOf(const guest::Header& header);
    [[nodiscard]] GuestReceiver* receiverOfOpened(const guest::Header& header);
    void scheduleFlush();
    void flush();
    void ping();

    std::unique_ptr<GuestTransport> m_transport; ///< That is spoken over.
    std::unique_ptr<GuestTransport> m_attached; ///< Beside a direct socket: only tells of the end.
    std::unique_ptr<DirectSocket> m_offered;
    GuestLimits m_limits;
    State m_state = State::New;
    Error m_reason;
    quint32 m_nextId = 1;
    quint32 m_lastConnection = guest::connectionIdBit;
    QHash<quint32, GuestReceiver*> m_receivers;
    QList<GuestSender*> m_senders;
    QByteArray m_batch;
    bool m_isFlushQueued = false;
    guest::FrameParser m_parser;
    int m_cgroupVersion = 0;

    Completion<> m_opened;
    QByteArray m_nonce;
    QByteArray m_scanned;
    bool m_isLeased = false;
    QTimer m_greetingTimer;
    QTimer m_offerTimer;
    QTimer m_pingTimer;
    QTimer m_silenceTimer;

    int m_places;
    QList<Completion<>> m_waiting;
};

} // namespace isol8
