// SPDX-License-Identifier: MIT
#include "ui/files/imageview.h"

#include <QKeyEvent>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <algorithm>

namespace isol8::ui {

namespace {
constexpr double step = 1.25;
constexpr double smallest = 0.05;
constexpr int largestSide = 16'000; // of what is drawn
} // namespace

ImageView::ImageView(QImage image, QWidget* parent)
    : QWidget(parent)
    , m_image(std::move(image))
    , m_area(new QScrollArea(this))
    , m_picture(new QLabel(this))
    , m_facts(new QLabel(this))
{
    setObjectName(QStringLiteral("imageView"));
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Image, %1 by %2 pixels").arg(m_image.width()).arg(m_image.height()));
    m_area->setWidget(m_picture);
    m_area->setAlignment(Qt::AlignCenter);
    m_area->setFrameShape(QFrame::NoFrame);
    m_area->viewport()->installEventFilter(this);
    m_facts->setContentsMargins(8, 2, 8, 2);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);
    rows->addWidget(m_area, 1);
    rows->addWidget(m_facts);
    draw();
}

void ImageView::setScale(double scale)
{
    const double largest = double(largestSide) / std::max(m_image.width(), m_image.height());
    m_scale = scale <= 0 ? 0 : std::clamp(scale, smallest, std::max(smallest, largest));
    draw();
}

void ImageView::draw()
{
    const auto ratio = devicePixelRatioF();
    const auto room = QSizeF(m_area->viewport()->size()) * ratio;
    const double fitted
        = std::min({ 1.0, room.width() / m_image.width(), room.height() / m_image.height() });
    const double scale = m_scale > 0 ? m_scale : std::max(fitted, 0.001);
    const auto size = (QSizeF(m_image.size()) * scale).toSize().expandedTo(QSize(1, 1));
    auto picture
        = QPixmap::fromImage(m_image.scaled(size, Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
    picture.setDevicePixelRatio(ratio);
    m_picture->setPixmap(picture);
    m_picture->adjustSize();
    m_facts->setText(tr("%1 × %2 pixels  ·  %3%")
            .arg(m_image.width())
            .arg(m_image.height())
            .arg(int(scale * 100 + 0.5)));
}

void ImageView::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    if (m_scale == 0)
        draw();
}

void ImageView::keyPressEvent(QKeyEvent* event)
{
    const double now = m_picture->pixmap().width() / double(m_image.width());
    if (event->key() == Qt::Key_Plus || event->key() == Qt::Key_Equal)
        setScale(now * step);
    else if (event->key() == Qt::Key_Minus)
        setScale(now / step);
    else if (event->key() == Qt::Key_0)
        setScale(0);
    else
        QWidget::keyPressEvent(event);
}

bool ImageView::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Wheel) {
        const auto* wheel = static_cast<QWheelEvent*>(event);
        if (wheel->modifiers() & Qt::ControlModifier) {
            const double now = m_picture->pixmap().width() / double(m_image.width());
            setScale(wheel->angleDelta().y() > 0 ? now * step : now / step);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace isol8::ui
