// SPDX-License-Identifier: MIT
#pragma once

#include <KSyntaxHighlighting/AbstractHighlighter>
#include <KSyntaxHighlighting/FoldingRegion>

#include <QElapsedTimer>
#include <QTextBlock>
#include <QTextLayout>
#include <QTimer>

#include <limits>
#include <vector>

namespace isol8::ui {

/// Colours a document from its beginning on, a slice of time at a turn of the event loop, so that
/// large files neither delay their first picture nor typing. (QSyntaxHighlighter does a whole
/// document at once.) After an edit it goes on only until the state is what it was. Owned by the
/// editor; the document must outlive it.
class Highlighter : public QObject, public KSyntaxHighlighting::AbstractHighlighter {
    Q_OBJECT

public:
    explicit Highlighter(QTextDocument* document, QObject* parent);

    void setDefinition(const KSyntaxHighlighting::Definition& definition) override;
    void setTheme(const KSyntaxHighlighting::Theme& theme) override;

    /// Colours no line from here on until it is told otherwise.
    void setEnd(int line);
    [[nodiscard]] bool isFinished() const { return m_next >= m_document->blockCount(); }

Q_SIGNALS:
    /// Lines can be folded now that could not be before, or the other way round.
    void foldingChanged();

protected:
    void applyFormat(int offset, int length, const KSyntaxHighlighting::Format& format) override;
    void applyFolding(int offset, int length, KSyntaxHighlighting::FoldingRegion region) override;

private:
    void restart();
    void goOn();
    void handleChange(int position, int removed, int added);
    void work();
    /// False: its state is what it was before.
    bool highlight(QTextBlock block);

    QTextDocument* m_document;
    QTimer m_timer;
    int m_next = 0; ///< Lines before it are done.
    int m_end = std::numeric_limits<int>::max();
    int m_blockCount = 0;
    bool m_isApplying = false;
    QList<QTextLayout::FormatRange> m_formats;
    std::vector<KSyntaxHighlighting::FoldingRegion> m_regions;
};

} // namespace isol8::ui
