// SPDX-License-Identifier: MIT
#pragma once

#include <QList>
#include <QStringList>

namespace isol8::ui {

/// One row of two texts side by side.
struct DiffRow {
    enum class Kind { Same, Changed, OnlyLeft, OnlyRight };
    Kind kind = Kind::Same;
    qsizetype left = -1; ///< Line numbers from 0; -1: none on this side.
    qsizetype right = -1;

    bool operator==(const DiffRow&) const = default;
};

/// The rows of two texts. Texts that differ in more than a few thousand lines are compared line by
/// line in their middle, so it ends soon whatever they are.
[[nodiscard]] QList<DiffRow> diffLines(const QStringList& left, const QStringList& right);

} // namespace isol8::ui
