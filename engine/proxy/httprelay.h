// SPDX-License-Identifier: MIT
#pragma once

#include "engine/http/bodydecoder.h"
#include "engine/http/headparser.h"
#include "engine/http/responsehead.h"
#include "engine/proxy/messages.h"
#include "engine/proxy/networkstate.h"

#include <QTimer>

namespace isol8::proxy {

/// One request on its way to a host and the answer on its way back, both framed anew and neither
/// ever whole in memory. Owns the host's stream, which carries nothing else.
class HttpRelay final : public QObject {
    Q_OBJECT

public:
    enum class Ending {
        Answered, ///< The client has the whole answer; its connection may go on if mayGoOn().
        Upgraded, ///< The client has the 101; takeHost() and bytesBehindHead() go on unread.
        NotAnswered, ///< Nothing was sent to the client; error() says why, and with which status.
        CutOff, ///< In the middle of the answer: see isEndVisible().
    };

    HttpRelay(SharedNetwork network, ProxyRequest request, ByteStream& client,
        std::shared_ptr<ByteStream> host);

    void start();
    /// Takes from @p bytes what belongs to the request's body; how many that were. Errors carry the
    /// status in httpStatus.
    [[nodiscard]] Result<qsizetype> takeFromClient(QByteArrayView bytes);
    [[nodiscard]] bool isRequestComplete() const { return m_requestBody.isComplete(); }
    /// The host has room for more of the body.
    [[nodiscard]] bool hasRoom() const;

    /// Signals nothing more and lets go of the host, in order if its answer is complete.
    void stop();

    [[nodiscard]] bool isAnswerBegun() const { return m_isAnswerBegun; }
    [[nodiscard]] bool mayGoOn() const;
    /// By its framing the client can tell a part of the answer from the whole.
    [[nodiscard]] bool isEndVisible() const { return m_framing != Framing::UntilClose; }
    [[nodiscard]] const Error& error() const { return m_error; }
    [[nodiscard]] std::shared_ptr<ByteStream> takeHost() { return std::move(m_host); }
    [[nodiscard]] QByteArray bytesBehindHead() const { return m_received; }

Q_SIGNALS:
    void roomMade();
    /// Once, the last signal.
    void finished(isol8::proxy::HttpRelay::Ending ending);

private:
    void onReceived(const QByteArray& bytes);
    void onHostFinished();
    void onHostClosed(const Result<>& ending);
    void onTimeout();
    [[nodiscard]] bool processHead();
    void beginAnswer(const http::ResponseHead& answer);
    void processBody();
    void writeToHost(const QByteArray& bytes);
    void balance();
    void fail(const QString& why, int status);
    void finish(Ending ending);

    SharedNetwork m_network;
    const ProxyRequest m_request;
    ByteStream& m_client;
    std::shared_ptr<ByteStream> m_host;

    const http::HttpLimits m_headLimits;
    http::BodyDecoder m_requestBody;
    http::HeadScanner m_scanner;
    QByteArray m_received; ///< Of the answer's head, and what came behind it.
    std::optional<http::BodyDecoder> m_answerBody;
    Framing m_framing = Framing::None;
    bool m_isAnswerBegun = false;
    bool m_isFinished = false;
    Error m_error;
    QTimer m_silence;
};

} // namespace isol8::proxy
