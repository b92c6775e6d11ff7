// SPDX-License-Identifier: MIT
#include "ui/files/imageview.h"

#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPixmap>
#include <QScrollArea>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <algorithm>

namespace isol8::ui {

namespace {
constexpr double step = 1.25;
constexpr double smallest = 0.05;
constexpr int largestSide = 16'000; // of what is drawn

/// Draws the part that is in sight, however large the whole would be.
class Canvas : public QWidget {
public:
    Canvas(const QImage& image, QWidget* parent)
        : QWidget(parent)
        , m_picture(QPixmap::fromImage(image))
    {
    }

protected:
    void paintEvent(QPaintEvent*) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::SmoothPixmapTransform);
        painter.drawPixmap(rect(), m_picture);
    }

private:
    QPixmap m_picture;
};

} // namespace

ImageView::ImageView(QImage image, QWidget* parent)
    : QWidget(parent)
    , m_image(std::move(image))
    , m_area(new QScrollArea(this))
    , m_picture(new Canvas(m_image, this))
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
    m_shownScale = scale;
    m_picture->resize((QSizeF(m_image.size()) * (scale / ratio)).toSize().expandedTo(QSize(1, 1)));
    m_facts->setText(tr("%1 × %2 pixels  ·  %3%")
            .arg(m_image.width())
            .arg(m_image.height())
            .arg(int(scale * 100 + 0.5)));
}

void ImageView::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Plus || event->key() == Qt::Key_Equal)
        setScale(m_shownScale * step);
    else if (event->key() == Qt::Key_Minus)
        setScale(m_shownScale / step);
    else if (event->key() == Qt::Key_0)
        setScale(0);
    else
        QWidget::keyPressEvent(event);
}

bool ImageView::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Resize && m_scale == 0)
        draw();
    if (event->type() == QEvent::Wheel) {
        const auto* wheel = static_cast<QWheelEvent*>(event);
        if (wheel->modifiers() & Qt::ControlModifier) {
            setScale(wheel->angleDelta().y() > 0 ? m_shownScale * step : m_shownScale / step);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace isol8::ui
