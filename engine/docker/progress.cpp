// SPDX-License-Identifier: MIT
#include "engine/docker/progress.h"

#include "engine/docker/failures.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace isol8::docker {

using namespace Qt::StringLiterals;

ProgressReader::ProgressReader(ProgressHandler handler)
    : m_handler(std::move(handler))
{
}

Result<> ProgressReader::feed(const QByteArray& bytes)
{
    QByteArrayView rest(bytes);
    for (;;) {
        const auto end = rest.indexOf('\n');
        const auto part = end < 0 ? rest : rest.first(end);
        if (m_partial.size() + part.size() > maxLineBytes)
            return failure(Kind::Protocol,
                u"a line of Docker's progress is over %1 bytes"_s.arg(maxLineBytes));
        m_partial += part;
        if (end < 0)
            return {};
        rest = rest.sliced(end + 1);
        const auto line = std::exchange(m_partial, {});
        if (auto taken = takeLine(line); !taken)
            return taken;
    }
}

Result<> ProgressReader::finish()
{
    const auto line = std::exchange(m_partial, {});
    return takeLine(line);
}

Result<> ProgressReader::takeLine(QByteArrayView line)
{
    const auto text = line.trimmed();
    if (text.isEmpty())
        return {};
    const auto document = QJsonDocument::fromJson(text.toByteArray());
    if (!document.isObject())
        return failure(Kind::Protocol, u"a line of Docker's progress is not a JSON object"_s);
    const auto object = document.object();
    const auto detail = object.value(u"errorDetail"_s).toObject().value(u"message"_s).toString();
    if (object.contains(u"error"_s) || !detail.isEmpty())
        return std::unexpected(
            errorFromProgress(detail.isEmpty() ? object.value(u"error"_s).toString() : detail));

    if (const auto id = object.value(u"aux"_s).toObject().value(u"ID"_s).toString(); !id.isEmpty())
        m_imageId = id;
    Progress progress;
    progress.status = object.value(u"stream"_s).toString();
    m_tail = (m_tail + progress.status).right(maxTailCharacters);
    if (progress.status.isEmpty())
        progress.status = object.value(u"status"_s).toString();
    if (progress.status.startsWith(u"sha256:"_s))
        m_imageId = progress.status.trimmed();
    progress.id = object.value(u"id"_s).toString();
    const auto numbers = object.value(u"progressDetail"_s).toObject();
    progress.current = numbers.value(u"current"_s).toInteger();
    progress.total = numbers.value(u"total"_s).toInteger();
    if (m_handler && !progress.status.isEmpty())
        m_handler(progress);
    return {};
}

} // namespace isol8::docker
