// SPDX-License-Identifier: MIT
#pragma once

#include <QFrame>

#include <functional>

class QHBoxLayout;
class QLabel;

namespace isol8::ui {

/// A sentence above a page with what can be done about it. It does not stop anybody from working.
class MessageBar : public QFrame {
    Q_OBJECT

public:
    explicit MessageBar(QWidget* parent);

    enum class Tone { Information, Warning, Error };
    struct Choice {
        QString text;
        std::function<void()> act;
    };
    /// Shows @p text as it is, never as mark-up. Each choice, and Dismiss, closes the bar.
    void say(Tone tone, const QString& text, const QList<Choice>& choices = {});
    /// Closes the bar if @p text is what it still says.
    void withdraw(const QString& text);

private:
    QLabel* m_text;
    QHBoxLayout* m_buttons;
};

} // namespace isol8::ui
