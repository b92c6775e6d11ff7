// SPDX-License-Identifier: MIT
#include "ui/history/linediff.h"

#include <algorithm>
#include <vector>

namespace isol8::ui {

namespace {

using Kind = DiffRow::Kind;

/// Steps of the shortest edit script that are searched for; the memory is its square.
constexpr qsizetype maxEdits = 1500;

/// The pairs of equal lines on the shortest way from one text to the other (E. Myers, An O(ND)
/// Difference Algorithm, 1986); empty when that way is too long.
std::vector<std::pair<qsizetype, qsizetype>> equalLines(QList<QString>::const_iterator left,
    qsizetype leftSize, QList<QString>::const_iterator right, qsizetype rightSize)
{
    const auto limit = std::min(leftSize + rightSize, maxEdits);
    std::vector<std::vector<qsizetype>> history;
    std::vector<qsizetype> reach(size_t(limit) * 2 + 3, 0);
    const auto at = [limit](qsizetype diagonal) { return size_t(diagonal + limit + 1); };
    qsizetype edits = -1;
    for (qsizetype d = 0; d <= limit && edits < 0; ++d) {
        for (qsizetype k = -d; k <= d; k += 2) {
            const bool isDown = k == -d || (k != d && reach[at(k - 1)] < reach[at(k + 1)]);
            auto x = isDown ? reach[at(k + 1)] : reach[at(k - 1)] + 1;
            auto y = x - k;
            while (x < leftSize && y < rightSize && left[x] == right[y]) {
                ++x;
                ++y;
            }
            reach[at(k)] = x;
            if (x >= leftSize && y >= rightSize) {
                edits = d;
                break;
            }
        }
        history.emplace_back(reach.begin() + at(-d) - 1, reach.begin() + at(d) + 2);
    }
    if (edits < 0)
        return {};

    std::vector<std::pair<qsizetype, qsizetype>> pairs;
    auto x = leftSize;
    auto y = rightSize;
    for (auto d = edits; d >= 0; --d) {
        qsizetype beforeX = 0;
        qsizetype beforeY = 0;
        if (d > 0) {
            const auto& earlier = history[size_t(d - 1)];
            const auto reached = [&earlier, d](qsizetype k) { return earlier[size_t(k + d)]; };
            const auto k = x - y;
            const bool isDown = k == -d || (k != d && reached(k - 1) < reached(k + 1));
            const auto from = isDown ? k + 1 : k - 1;
            beforeX = reached(from);
            beforeY = beforeX - from;
        }
        while (x > beforeX && y > beforeY && left[x - 1] == right[y - 1])
            pairs.emplace_back(--x, --y);
        x = beforeX;
        y = beforeY;
    }
    std::ranges::reverse(pairs);
    return pairs;
}

/// Rows of a stretch without equal lines.
void addChanged(
    QList<DiffRow>& rows, qsizetype left, qsizetype leftEnd, qsizetype right, qsizetype rightEnd)
{
    while (left < leftEnd && right < rightEnd)
        rows.append({ Kind::Changed, left++, right++ });
    while (left < leftEnd)
        rows.append({ Kind::OnlyLeft, left++, -1 });
    while (right < rightEnd)
        rows.append({ Kind::OnlyRight, -1, right++ });
}

} // namespace

QList<DiffRow> diffLines(const QStringList& left, const QStringList& right)
{
    QList<DiffRow> rows;
    qsizetype begin = 0;
    const auto shorter = std::min(left.size(), right.size());
    while (begin < shorter && left[begin] == right[begin]) {
        rows.append({ Kind::Same, begin, begin });
        ++begin;
    }
    qsizetype end = 0;
    while (end < shorter - begin && left[left.size() - 1 - end] == right[right.size() - 1 - end])
        ++end;
    const auto leftEnd = left.size() - end;
    const auto rightEnd = right.size() - end;

    auto nextLeft = begin;
    auto nextRight = begin;
    for (const auto& [x, y] : equalLines(
             left.cbegin() + begin, leftEnd - begin, right.cbegin() + begin, rightEnd - begin)) {
        addChanged(rows, nextLeft, begin + x, nextRight, begin + y);
        rows.append({ Kind::Same, begin + x, begin + y });
        nextLeft = begin + x + 1;
        nextRight = begin + y + 1;
    }
    addChanged(rows, nextLeft, leftEnd, nextRight, rightEnd);
    for (qsizetype i = 0; i < end; ++i)
        rows.append({ Kind::Same, leftEnd + i, rightEnd + i });
    return rows;
}

} // namespace isol8::ui
