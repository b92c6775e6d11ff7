// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

namespace isol8::ui {

/// Whether runs share a session, whose files stay, and which one. Owned by the window.
class SessionChoice : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    [[nodiscard]] bool isOn() const { return m_isOn; }
    /// The id that runs get; empty when every run has a sandbox of its own.
    [[nodiscard]] QString current() const { return m_isOn ? m_id : QString(); }
    /// The chosen one, also while it is off.
    [[nodiscard]] const QString& id() const { return m_id; }

    void setOn(bool isOn);
    /// A valid session id.
    void choose(const QString& id);

    /// A new id that nobody else has, short enough to read.
    [[nodiscard]] static QString freshId();

Q_SIGNALS:
    void changed();

private:
    bool m_isOn = false;
    QString m_id = freshId();
};

} // namespace isol8::ui
