// SPDX-License-Identifier: MIT
#include "ui/files/filesview.h"

#include "ui/files/filetreemodel.h"

#include <QHeaderView>
#include <QPainter>

#include <algorithm>

namespace isol8::ui {

namespace {
constexpr int leastNameWidth = 110;
constexpr int step = 14; ///< Of a folder's content; the style's leaves little of a narrow dock.
} // namespace

FilesView::FilesView(QWidget* parent)
    : QTreeView(parent)
{
    setTextElideMode(Qt::ElideMiddle);
    setIndentation(step);
    setHorizontalScrollMode(ScrollPerPixel);
    header()->setStretchLastSection(false);
    header()->setMinimumSectionSize(40);
    // Later: the header is about to apply the widths that it computed before this one changed.
    connect(
        header(), &QHeaderView::sectionResized, this,
        [this](int section, int, int) {
            if (section != FileTreeModel::Name)
                fitNames();
        },
        Qt::QueuedConnection);
    connect(this, &QTreeView::expanded, this, &FilesView::fitNames);
    connect(this, &QTreeView::collapsed, this, &FilesView::fitNames);
}

void FilesView::resizeEvent(QResizeEvent* event)
{
    QTreeView::resizeEvent(event);
    fitNames();
}

void FilesView::fitNames()
{
    if (!model())
        return;
    const int free = viewport()->width() - header()->sectionSize(FileTreeModel::Size);
    const int withTime = free - header()->sectionSize(FileTreeModel::Modified);
    const int wanted = std::max(leastNameWidth, sizeHintForColumn(FileTreeModel::Name));
    header()->resizeSection(
        FileTreeModel::Name, withTime >= wanted ? withTime : std::max(leastNameWidth, free));
}

void FilesView::paintEvent(QPaintEvent* event)
{
    QTreeView::paintEvent(event);
    if (model()->rowCount() > 0)
        return;
    QPainter painter(viewport());
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(viewport()->rect().adjusted(12, 12, -12, -12),
        Qt::AlignTop | Qt::AlignHCenter | Qt::TextWordWrap,
        tr("No files yet. The session begins with its first run."));
}

} // namespace isol8::ui
