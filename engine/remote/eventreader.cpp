// SPDX-License-Identifier: MIT
#include "engine/remote/eventreader.h"

namespace isol8::remote {

using namespace Qt::StringLiterals;

void EventReader::takeLine(QList<QByteArray>& events)
{
    const auto line = std::exchange(m_line, {});
    if (line.isEmpty()) {
        if (std::exchange(m_hasData, false))
            events << std::exchange(m_data, {});
        return;
    }
    if (!line.startsWith("data"))
        return;
    auto value = line.sliced(4);
    if (value.startsWith(": "))
        value.remove(0, 2);
    else if (value.startsWith(':'))
        value.remove(0, 1);
    else if (!value.isEmpty())
        return; // Some other field.
    if (m_hasData)
        m_data += '\n';
    m_data += value;
    m_hasData = true;
}

Result<QList<QByteArray>> EventReader::feed(const QByteArray& bytes)
{
    QList<QByteArray> events;
    qsizetype begin = 0;
    for (qsizetype i = 0; i < bytes.size(); ++i) {
        const char byte = bytes[i];
        const bool isFeedOfBefore = std::exchange(m_isAfterReturn, byte == '\r') && byte == '\n';
        if (byte != '\n' && byte != '\r')
            continue;
        if (!isFeedOfBefore) {
            m_line += QByteArrayView(bytes).sliced(begin, i - begin);
            takeLine(events);
        }
        begin = i + 1;
        if (m_data.size() > maxEventBytes)
            break;
    }
    m_line += QByteArrayView(bytes).sliced(begin);
    if (m_line.size() + m_data.size() > maxEventBytes)
        return failure(Kind::Protocol, u"an event is longer than 8 MiB"_s);
    return events;
}

} // namespace isol8::remote
