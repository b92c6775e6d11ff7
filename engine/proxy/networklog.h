// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

#include <optional>

namespace isol8::proxy {

/// The decisions of one run, bounded. Allowed and refused ones are bounded separately, so that a
/// flood of the one cannot push the other out.
class NetworkLog {
public:
    explicit NetworkLog(bool isOn)
        : m_isOn(isOn)
    {
    }

    [[nodiscard]] bool isOn() const { return m_isOn; }

    /// Where an entry stands; none: it was not kept.
    using Place = std::optional<qsizetype>;
    [[nodiscard]] Place add(const NetworkLogEntry& entry);
    void setDuration(Place place, std::chrono::microseconds duration);
    /// What was let through by its name was refused for its address.
    void setRefused(Place place, const QString& rule);

    /// By time. The last ones say how many were left out.
    [[nodiscard]] QList<NetworkLogEntry> entries() const;

    static constexpr qsizetype maxEntries = 1000; ///< Of each kind.
    static constexpr qsizetype maxPathLength = 2000;

private:
    bool m_isOn;
    QList<NetworkLogEntry> m_entries;
    qsizetype m_kept[2] {}; ///< By isAllowed.
    qint64 m_leftOut[2] {};
};

} // namespace isol8::proxy
