// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QLineEdit>

#include <functional>

class QAction;

namespace isol8::ui {

/// A line whose text is checked as it is typed. What is wrong is marked, and told in the tool tip
/// and to screen readers.
class CheckedLine : public QLineEdit {
    Q_OBJECT

public:
    using Check = std::function<Result<>(const QString& text)>;

    CheckedLine(const QString& name, Check check, QWidget* parent = nullptr);

    [[nodiscard]] bool isGood() const { return m_problem.isEmpty(); }
    [[nodiscard]] const QString& problem() const { return m_problem; }

Q_SIGNALS:
    /// A text that passed the check was typed.
    void accepted(const QString& text);

private:
    void examine();

    Check m_check;
    QString m_problem;
    QAction* m_mark;
};

} // namespace isol8::ui
