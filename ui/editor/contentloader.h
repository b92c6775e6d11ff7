// SPDX-License-Identifier: MIT
#pragma once

#include "ui/editor/largepages.h"

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QTimer>

class QPlainTextEdit;

namespace isol8::ui {

/// Puts a large text into an editor: its beginning at once, the rest a part at a turn of the event
/// loop. Until it is whole, edits could not be undone and the document tells nobody of its growth:
/// whoever edits or needs all of it calls finish() first. Owned by the editor, and gone when it is
/// done.
class ContentLoader : public QObject {
    Q_OBJECT

public:
    /// Replaces what the editor has, and what is still being loaded into it. Null: the text was
    /// short enough to be whole at once.
    static ContentLoader* load(QPlainTextEdit* editor, const QString& text);
    [[nodiscard]] static bool isLoading(const QPlainTextEdit* editor) { return of(editor); }
    /// Loads what is missing, at once.
    static void finish(QPlainTextEdit* editor);

Q_SIGNALS:
    void ended(); ///< It is whole, or another text takes its place.

private:
    ContentLoader(QPlainTextEdit* editor, QString text, qsizetype begin);

    [[nodiscard]] static ContentLoader* of(const QPlainTextEdit* editor);
    void work();
    void insert(qsizetype characters);
    void end();

    QPlainTextEdit* m_editor;
    QString m_text;
    qsizetype m_at; ///< What comes before it is loaded.
    qsizetype m_part; ///< Characters that take about the wanted time.
    LargePages m_pages;
    QTimer m_timer;
    QElapsedTimer m_shown; ///< Since the scroll bar and the picture were brought up to date.
};

} // namespace isol8::ui
