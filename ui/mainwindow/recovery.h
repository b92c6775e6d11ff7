// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QTimer>

namespace isol8::ui {

class EditorTabs;

/// Keeps the open files and every unsaved text in a file while the window is open, so that a crash,
/// a power cut or a kill loses a second's typing at most. Owned by the window.
class Recovery : public QObject {
    Q_OBJECT

public:
    Recovery(const QString& path, EditorTabs* tabs, QObject* parent);

    /// Opens what was open; false when there was nothing.
    bool restore();
    /// The window is closed as it should be: only the names of files are kept.
    void finish();

private:
    enum class Texts { Keep, Leave };
    void write(Texts texts);

    QString m_path;
    EditorTabs* m_tabs;
    QTimer m_timer;
    bool m_isFinished = false;
};

} // namespace isol8::ui
