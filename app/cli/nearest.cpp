// SPDX-License-Identifier: MIT
#include "app/cli/nearest.h"

#include <algorithm>
#include <numeric>

namespace isol8::cli {

namespace {

constexpr qsizetype maxLength = 64; ///< Longer texts are no slip of a name of ours.

/// Levenshtein's distance.
int distance(const QString& from, const QString& to)
{
    QList<int> row(to.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (qsizetype i = 1; i <= from.size(); ++i) {
        int diagonal = std::exchange(row[0], int(i));
        for (qsizetype j = 1; j <= to.size(); ++j) {
            const int replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({ replaced, row[j] + 1, row[j - 1] + 1 }));
        }
    }
    return row.last();
}

} // namespace

QString nearest(const QString& typed, const QStringList& known)
{
    QString best;
    int bestDistance = typed.size() < 3 ? 2 : std::max(2, int(typed.size()) / 3) + 1;
    if (typed.size() > maxLength)
        return best;
    for (const auto& candidate : known) {
        const int candidateDistance = distance(typed, candidate);
        if (candidateDistance < bestDistance) {
            bestDistance = candidateDistance;
            best = candidate;
        }
    }
    return best;
}

} // namespace isol8::cli
