// SPDX-License-Identifier: MIT
#include "ui/files/filesview.h"

#include <QPainter>

namespace isol8::ui {

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
