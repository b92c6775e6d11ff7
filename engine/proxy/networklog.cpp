// SPDX-License-Identifier: MIT
#include "engine/proxy/networklog.h"

namespace isol8::proxy {

using namespace Qt::StringLiterals;

NetworkLog::Place NetworkLog::add(const NetworkLogEntry& entry)
{
    if (!m_isOn)
        return std::nullopt;
    if (m_kept[entry.isAllowed] >= maxEntries) {
        ++m_leftOut[entry.isAllowed];
        return std::nullopt;
    }
    ++m_kept[entry.isAllowed];
    auto kept = entry;
    if (kept.path && kept.path->size() > maxPathLength)
        kept.path = kept.path->left(maxPathLength) + u'…';
    m_entries.append(kept);
    return m_entries.size() - 1;
}

void NetworkLog::setDuration(Place place, std::chrono::microseconds duration)
{
    if (place)
        m_entries[*place].duration = duration;
}

void NetworkLog::setRefused(Place place, const QString& rule)
{
    if (!place)
        return;
    m_entries[*place].isAllowed = false;
    m_entries[*place].rule = rule;
    --m_kept[true];
    ++m_kept[false];
}

QList<NetworkLogEntry> NetworkLog::entries() const
{
    auto entries = m_entries;
    for (const bool isAllowed : { true, false }) {
        if (m_leftOut[isAllowed] == 0)
            continue;
        NetworkLogEntry more;
        more.timestamp = entries.constLast().timestamp;
        more.host = u"… %1 more"_s.arg(m_leftOut[isAllowed]);
        more.isAllowed = isAllowed;
        more.rule = u"log-limit"_s;
        entries.append(more);
    }
    return entries;
}

} // namespace isol8::proxy
