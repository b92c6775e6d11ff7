// SPDX-License-Identifier: MIT
#pragma once

#include <QImage>
#include <QWidget>

class QLabel;
class QScrollArea;

namespace isol8::ui {

/// An image: fitted into the view, or at a chosen size (Ctrl and wheel, + and -, 0 fits again).
class ImageView : public QWidget {
    Q_OBJECT

public:
    ImageView(QImage image, QWidget* parent);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void setScale(double scale); ///< 0: fit.
    void draw();

    QImage m_image;
    QScrollArea* m_area;
    QWidget* m_picture;
    QLabel* m_facts;
    double m_scale = 0; ///< 0: fit.
    double m_shownScale = 1; ///< Pixels of the screen for one of the image.
};

} // namespace isol8::ui
