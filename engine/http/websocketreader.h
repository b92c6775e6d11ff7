// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>

#include <optional>

namespace isol8::http {

/// Codes of the end of a connection (RFC 6455, section 7.4.1).
namespace closecode {
inline constexpr int normal = 1000;
inline constexpr int goingAway = 1001;
inline constexpr int protocolError = 1002;
inline constexpr int unsupportedData = 1003;
inline constexpr int notUtf8 = 1007;
inline constexpr int policyViolated = 1008;
inline constexpr int tooLarge = 1009;
} // namespace closecode

enum class WebSocketOpcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10
};

enum class WebSocketRole { Server, Client };

/// A whole frame as @p sender sends it: clients mask it with a random key (RFC 6455, section 5.3).
[[nodiscard]] QByteArray webSocketFrame(
    WebSocketRole sender, WebSocketOpcode opcode, const QByteArray& payload);
/// What a Close frame holds.
[[nodiscard]] QByteArray closePayload(int code, const QString& reason);

/// Reads the frames of a WebSocket (RFC 6455, section 5). Pure.
class WebSocketReader {
public:
    struct Item {
        WebSocketOpcode opcode; ///< Never Continuation: messages are whole.
        QByteArray payload;

        bool operator==(const Item&) const = default;
    };
    struct Fault {
        int code; ///< Of closecode.
        QString reason;
    };
    struct Reading {
        QList<Item> items;
        std::optional<Fault> fault; ///< Comes after them; nothing more can be read then.
    };

    /// @p reader: who reads, since only what clients send is masked. A message larger than
    /// @p maxMessageBytes is a fault.
    WebSocketReader(WebSocketRole reader, qint64 maxMessageBytes)
        : m_role(reader)
        , m_maxMessageBytes(maxMessageBytes)
    {
    }

    /// What is complete with the other side's next bytes. What comes after a Close is not read.
    [[nodiscard]] Reading feed(QByteArrayView bytes);

private:
    [[nodiscard]] std::optional<Fault> takeHeaderByte(char byte);
    [[nodiscard]] std::optional<Fault> checkStart() const;
    [[nodiscard]] std::optional<Fault> beginFrame();
    [[nodiscard]] std::optional<Fault> endFrame(QList<Item>& items);
    void takePayload(QByteArrayView bytes);
    [[nodiscard]] bool isControl() const;

    const WebSocketRole m_role;
    const qint64 m_maxMessageBytes;
    QByteArray m_header; ///< Of the frame that begins, as far as it is there.
    QByteArray m_mask;
    int m_maskAt = 0;
    qint64 m_payloadLeft = -1; ///< -1: in the header.
    WebSocketOpcode m_opcode = WebSocketOpcode::Continuation;
    bool m_isFinal = true;
    bool m_isFragmented = false; ///< The message goes on in the next frame of data.
    bool m_isEnded = false;
    WebSocketOpcode m_messageOpcode = WebSocketOpcode::Text;
    QByteArray m_message;
    QByteArray m_control; ///< Payload of a control frame, which may come within a message.
};

} // namespace isol8::http
