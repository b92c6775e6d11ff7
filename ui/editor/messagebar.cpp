// SPDX-License-Identifier: MIT
#include "ui/editor/messagebar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

QColor groundOf(MessageBar::Tone tone, bool isDark)
{
    switch (tone) {
    case MessageBar::Tone::Information:
        return isDark ? QColor(0x1f3a5f) : QColor(0xdcebfd);
    case MessageBar::Tone::Warning:
        return isDark ? QColor(0x4d3a08) : QColor(0xfdf0c8);
    case MessageBar::Tone::Error:
        return isDark ? QColor(0x5c1f1f) : QColor(0xfbdedb);
    }
    return {};
}

} // namespace

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent)
    , m_text(new QLabel(this))
    , m_buttons(new QHBoxLayout)
{
    setObjectName(u"messageBar"_s);
    setAutoFillBackground(true);
    m_text->setObjectName(u"messageText"_s);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setWordWrap(true);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 6, 8, 6);
    row->addWidget(m_text, 1);
    row->addLayout(m_buttons);
    hide();
}

void MessageBar::say(Tone tone, const QString& text, const QList<Choice>& choices)
{
    m_text->setText(text);
    setAccessibleName(text);
    const bool isDark = parentWidget()->palette().color(QPalette::Window).lightness() < 128;
    auto colours = palette();
    colours.setColor(QPalette::Window, groundOf(tone, isDark));
    colours.setColor(QPalette::WindowText, isDark ? Qt::white : QColor(0x1f2328));
    setPalette(colours);

    while (auto* item = m_buttons->takeAt(0)) {
        item->widget()->deleteLater(); // Perhaps it is the one that was clicked.
        delete item;
    }
    auto all = choices;
    all << Choice { tr("Dismiss"), {} };
    for (const auto& choice : all) {
        auto* button = new QPushButton(choice.text, this);
        m_buttons->addWidget(button);
        connect(button, &QPushButton::clicked, this, [this, act = choice.act] {
            hide();
            if (act)
                act();
        });
    }
    show();
}

void MessageBar::withdraw(const QString& text)
{
    if (m_text->text() == text)
        hide();
}

} // namespace isol8::ui
