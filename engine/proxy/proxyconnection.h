// SPDX-License-Identifier: MIT
#pragma once

#include "engine/http/headparser.h"
#include "engine/proxy/httprelay.h"
#include "engine/proxy/networkstate.h"
#include "engine/proxy/tunnel.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QTimer>

namespace isol8::proxy {

/// One connection of a program to its proxy: reads requests, judges each on its own and has it
/// relayed. Owned by a FilteredNetwork, which destroys it after finished(), not within it.
class ProxyConnection final : public QObject {
    Q_OBJECT

public:
    ProxyConnection(SharedNetwork network, std::unique_ptr<ByteStream> client);
    ~ProxyConnection() override;

    void start();
    /// Instead: answers 503 and ends.
    void startRefusing();
    [[nodiscard]] bool isRefusing() const { return m_isRefusing; }
    /// Everything is said; only the client has not closed yet.
    [[nodiscard]] bool isLingering() const;
    /// Ends both sides at once.
    void cutOff();
    /// Brings the log up to date about the request that is under way.
    void updateLog();

Q_SIGNALS:
    void finished();

private:
    enum class State {
        Head, ///< Waits for a request, or is in its head.
        Reaching, ///< Resolves the host and connects to it.
        Relaying, ///< A request and its answer are on their way.
        Tunnelling,
        Ending, ///< The last answer is being sent; what still comes is dropped.
        Gone, ///< finished() was signalled.
    };

    void onReceived(const QByteArray& bytes);
    void onClientFinished();
    void onClientClosed(const Result<>& ending);
    void onClientWritten();
    void onTimeout();

    [[nodiscard]] bool hasRoom() const;
    void nextRequest();
    void processHead();
    void judge(ProxyRequest request);
    void onReached(const Result<Reached>& reached);
    void startTunnel(std::shared_ptr<ByteStream> host, const QByteArray& fromHost);
    void startRelay(std::shared_ptr<ByteStream> host);
    void passBodyOn();
    void onTunnelFinished();
    void onRelayFinished(HttpRelay::Ending ending);
    void dropRelay();

    void refuse(const Refusal& refusal);
    void answerLast(int status, const QString& sentence);
    void end(); ///< In order, after what is queued.
    void logAllowed();
    void logRefused(const QString& rule);
    [[nodiscard]] NetworkLogEntry logEntry(const QString& rule) const;
    void endLog();

    SharedNetwork m_network;
    const http::HttpLimits m_headLimits;
    std::unique_ptr<ByteStream> m_client;
    State m_state = State::Head;
    QByteArray m_input; ///< Received and not yet used: a head, early bytes, pipelined requests.
    bool m_hasHeadBegun = false;
    bool m_hasClientFinished = false; ///< Sending.
    bool m_isClientClosed = false;
    http::HeadScanner m_scanner;
    QTimer m_timer; ///< Head, idle or linger, as the state says.
    qint64 m_droppedBytes = 0;

    ProxyRequest m_request;
    QString m_rule; ///< What allowed it.
    QDateTime m_requestTime;
    bool m_isRefusing = false;
    bool m_isLogged = false;
    NetworkLog::Place m_logPlace;
    QElapsedTimer m_requestTimer;
    CancelToken m_cancel;
    std::unique_ptr<HttpRelay> m_relay;
    std::unique_ptr<Tunnel> m_tunnel;
};

} // namespace isol8::proxy
