// SPDX-License-Identifier: MIT
#include "engine/docker/eventreader.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace isol8::docker {

using namespace Qt::StringLiterals;

EventReader::EventReader(EventHandler handler)
    : m_handler(std::move(handler))
{
}

Result<> EventReader::feed(const QByteArray& bytes)
{
    m_partial += bytes;
    qsizetype begin = 0;
    for (auto end = m_partial.indexOf('\n'); end >= 0; end = m_partial.indexOf('\n', begin)) {
        const auto line = m_partial.sliced(begin, end - begin).trimmed();
        begin = end + 1;
        if (line.isEmpty())
            continue;
        if (auto taken = takeLine(line); !taken)
            return taken;
    }
    m_partial.remove(0, begin);
    if (m_partial.size() > maxLineBytes)
        return failure(
            Kind::Protocol, u"a line of Docker's events is over %1 bytes"_s.arg(maxLineBytes));
    return {};
}

Result<> EventReader::takeLine(const QByteArray& line)
{
    const auto document = QJsonDocument::fromJson(line);
    if (!document.isObject())
        return failure(Kind::Protocol, u"a line of Docker's events is not a JSON object"_s);
    const auto object = document.object();
    m_handler({ object.value(u"Type"_s).toString(), object.value(u"Action"_s).toString(),
        object.value(u"Actor"_s).toObject().value(u"ID"_s).toString() });
    return {};
}

} // namespace isol8::docker
