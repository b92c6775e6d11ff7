// SPDX-License-Identifier: MIT
#include "ui/widgets/checkedline.h"

#include "ui/theme/theme.h"

#include <QAction>

namespace isol8::ui {

using namespace Qt::StringLiterals;

CheckedLine::CheckedLine(const QString& name, Check check, QWidget* parent)
    : QLineEdit(parent)
    , m_check(std::move(check))
    , m_mark(new QAction(this))
{
    setAccessibleName(name);
    m_mark->setIcon(actionIcon(u"warning"_s, QColor(0xd1242f)));
    addAction(m_mark, QLineEdit::TrailingPosition);
    m_mark->setVisible(false); // Only a change is noticed.
    connect(this, &QLineEdit::textChanged, this, &CheckedLine::examine);
    connect(this, &QLineEdit::textEdited, this, [this](const QString& text) {
        examine(); // This signal comes before textChanged().
        if (isGood())
            Q_EMIT accepted(text);
    });
}

void CheckedLine::examine()
{
    const auto checked = m_check(text());
    m_problem = checked ? QString() : checked.error().message;
    m_mark->setVisible(!checked);
    m_mark->setToolTip(m_problem);
    setToolTip(m_problem);
    setAccessibleDescription(m_problem);
}

} // namespace isol8::ui
