// SPDX-License-Identifier: MIT
#include "engine/sandbox/scriptput.h"

#include "engine/core/escape.h"
#include "engine/sandbox/guestoperation.h"

namespace isol8 {

using namespace Qt::StringLiterals;
using guest::Type;

ScriptPut::ScriptPut(std::shared_ptr<GuestLink> link, QByteArray path)
    : m_link(std::move(link))
    , m_path(std::move(path))
    , m_id(m_link->takeId())
{
}

ScriptPut::~ScriptPut()
{
    m_link->forget(m_id);
}

void ScriptPut::send(const QByteArray& content, int mode)
{
    Q_ASSERT(content.size() <= qsizetype(guest::fileWindowBytes));
    unsigned char head[4 + 8];
    guest::storeU32(head, static_cast<quint32>(mode));
    guest::storeU64(head + 4, static_cast<quint64>(content.size()));
    m_link->expect(m_id, this);
    m_link->send(
        Type::FilePut, m_id, QByteArray(reinterpret_cast<const char*>(head), sizeof head) + m_path);
    for (qsizetype at = 0; at < content.size(); at += qsizetype(guest::maxPayloadBytes))
        m_link->send(Type::FileData, m_id,
            QByteArrayView(content).mid(
                at, std::min(content.size() - at, qsizetype(guest::maxPayloadBytes))));
    m_link->send(Type::FileEnd, m_id);
}

Result<> ScriptPut::receive(const guest::Header& header, const QByteArray& payload)
{
    guest::Reader reader(reinterpret_cast<const unsigned char*>(payload.constData()),
        static_cast<std::size_t>(payload.size()));
    const quint32 value = reader.u32();
    if (header.type == Type::Credit && header.stream == guest::Stream::File && reader.isValid())
        return {};
    if (header.type != Type::Done || !reader.isValid())
        return isol8::failure(
            Kind::Protocol, u"the sandbox's guest sent a frame that does not belong to a file"_s);
    m_link->forget(m_id);
    if (value != 0)
        m_failure = guestFailure(printable(QString::fromUtf8(m_path)), value);
    return {};
}

} // namespace isol8
