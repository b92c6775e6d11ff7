// SPDX-License-Identifier: MIT
#include "engine/http/exchange.h"

#include "engine/http/answerhead.h"
#include "engine/http/connection.h"

namespace isol8::http {

using namespace Qt::StringLiterals;

namespace {

Task<QByteArray> delivered(Completion<QByteArray> completion)
{
    co_return co_await completion.wait();
}

} // namespace

Exchange::Exchange(Connection* connection, RequestHead head)
    : m_connection(connection)
    , m_head(std::move(head))
{
}

Exchange::~Exchange()
{
    if (m_state == State::Open) {
        respond(500, { { "Content-Type", "application/json" } },
            errorBody(u"the server did not answer"_s));
    } else {
        abort();
    }
}

Task<QByteArray> Exchange::readBody(qint64 maxBytes)
{
    const Completion<QByteArray> completion;
    if (m_isBodyAsked)
        completion.fail({ Kind::Internal, u"the body was read before"_s, 500 });
    else if (!m_connection || m_isClientGone || m_state != State::Open)
        completion.fail(cancelled());
    else
        m_connection->readBody(maxBytes, completion);
    m_isBodyAsked = true;
    return delivered(completion);
}

void Exchange::respond(int status, const Fields& fields, const QByteArray& body)
{
    if (m_state != State::Open)
        return;
    m_state = State::Ended;
    if (!m_connection || m_isClientGone)
        return;
    m_bodyBytes = m_head.method == "HEAD" ? 0 : body.size();
    m_connection->respond(status, fields, body);
}

void Exchange::startStream(int status, const Fields& fields)
{
    if (m_state != State::Open)
        return;
    m_state = State::Streaming;
    if (m_connection && !m_isClientGone)
        m_connection->startStream(status, fields);
}

void Exchange::write(const QByteArray& bytes)
{
    if (m_state != State::Streaming || !m_connection || m_isClientGone)
        return;
    m_bodyBytes += bytes.size();
    m_connection->write(bytes);
}

qint64 Exchange::pendingBytes() const
{
    return m_connection && m_state != State::Ended ? m_connection->pendingBytes() : 0;
}

void Exchange::endStream()
{
    if (m_state != State::Streaming)
        return;
    m_state = State::Ended;
    if (m_connection && !m_isClientGone)
        m_connection->endStream();
}

void Exchange::abort()
{
    if (m_state == State::Ended)
        return;
    if (m_connection && !m_isClientGone)
        m_connection->abort();
}

QTcpSocket* Exchange::takeSocketForUpgrade()
{
    if (m_state != State::Open || !m_connection || m_isClientGone)
        return nullptr;
    auto* const socket = m_connection->takeSocket();
    if (socket)
        m_state = State::Ended;
    return socket;
}

} // namespace isol8::http
