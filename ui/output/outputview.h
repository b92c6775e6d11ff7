// SPDX-License-Identifier: MIT
#pragma once

#include "ui/output/linklocation.h"
#include "ui/output/outputpalette.h"
#include "ui/output/outputselection.h"

#include <QAbstractScrollArea>
#include <QBasicTimer>
#include <QHash>
#include <QTextLayout>

#include <memory>

namespace isol8::ui {

/// Shows an OutputBuffer, which it owns: only the lines in sight are laid out. Follows the end
/// until the user scrolls up. Standard error has a bar and an exclamation mark in the margin.
class OutputView : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit OutputView(QWidget* parent = nullptr);
    ~OutputView() override;

    [[nodiscard]] const OutputBuffer& buffer() const { return m_buffer; }
    void append(Channel channel, const QByteArray& bytes);
    void appendNote(const QString& text);
    void clear();
    void setScrollBack(OutputBuffer::Limits limits) { m_buffer.setLimits(limits); }

    [[nodiscard]] bool isFollowing() const { return m_isFollowing; }
    void setFollowing(bool isFollowing);

    [[nodiscard]] bool hasSelection() const { return !m_selection.isEmpty(); }
    [[nodiscard]] QString selectedText() const;
    void selectAll();
    Q_INVOKABLE void copy(); ///< By name too, for the Edit menu.
    /// The lines in sight, with standard error's marked, for screen readers.
    [[nodiscard]] QString visibleText() const;
    /// All that is left of the output.
    [[nodiscard]] QString text() const;

    /// Selects and shows the next place of @p text; false when there is none.
    bool find(const QString& text, SearchDirection direction);
    /// Goes to the next traceback line; false when there is none.
    bool goToLink(SearchDirection direction);

    [[nodiscard]] int lineHeight() const;
    /// Where a line is drawn, for tests and accessibility; empty when out of sight.
    [[nodiscard]] QRect lineRect(qint64 number) const;

Q_SIGNALS:
    void linkActivated(const isol8::ui::LinkLocation& link);
    void followingChanged(bool isFollowing);
    void selectionChanged();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void timerEvent(QTimerEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void changeEvent(QEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;

private:
    struct ShownLine {
        OutputLine line;
        std::unique_ptr<QTextLayout> layout;
        std::optional<LinkLocation> link;
    };

    void scheduleUpdate();
    void updateScrollBars();
    [[nodiscard]] std::shared_ptr<ShownLine> shownLine(qint64 number) const;
    [[nodiscard]] std::shared_ptr<ShownLine> layOut(qint64 number) const;
    void paintLine(QPainter& painter, qint64 number, int top) const;
    [[nodiscard]] qint64 topLine() const;
    [[nodiscard]] int visibleLines() const;
    [[nodiscard]] int marginWidth() const;
    [[nodiscard]] OutputPosition positionAt(QPoint point) const;
    [[nodiscard]] const LinkLocation* linkAt(QPoint point) const;
    void select(const OutputSelection& selection);
    void reveal(const OutputPosition& position);
    void scrollAside(QPoint point);

    OutputBuffer m_buffer;
    OutputPalette m_palette;
    OutputSelection m_selection;
    qint64 m_scrolledFirst = 0; ///< The buffer's first line when the scroll bar was set.
    bool m_isFollowing = true;
    bool m_isUpdatingBars = false;
    bool m_isSelecting = false;
    int m_contentWidth = 0;
    QBasicTimer m_updateTimer;
    QBasicTimer m_dragTimer;
    mutable QHash<qint64, std::shared_ptr<ShownLine>> m_cache;
    mutable std::shared_ptr<ShownLine> m_hovered; ///< Keeps what linkAt() points to.
};

} // namespace isol8::ui
