// SPDX-License-Identifier: MIT
#include "ui/files/viewers.h"

#include "engine/core/escape.h"
#include "ui/editor/textfile.h"
#include "ui/files/csvtable.h"
#include "ui/files/imageview.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFileInfo>
#include <QHeaderView>
#include <QImageReader>
#include <QLabel>
#include <QPainter>
#include <QSvgRenderer>
#include <QTableView>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 maxPixels = 64'000'000;
constexpr qsizetype maxSvgBytes = 4 << 20;
constexpr qsizetype maxTableBytes = 32 << 20;
constexpr int svgSide = 2000;

QString tr(const char* text)
{
    return QCoreApplication::translate("Viewers", text);
}

QString kindOf(const QString& fileName)
{
    return QFileInfo(fileName).suffix().toLower();
}

bool isTable(const QString& kind)
{
    return kind == u"csv"_s || kind == u"tsv"_s;
}

/// Drawn once, at a bounded size; nothing that it refers to is loaded.
Result<QImage> drawSvg(const QByteArray& content)
{
    if (content.size() > maxSvgBytes)
        return failure(Kind::Limit, tr("the drawing is too large"));
    if (content.contains("<!ENTITY") || content.contains("<image")
        || content.contains("xlink:href=\"file"))
        return failure(Kind::Invalid, tr("the drawing refers to other files"));
    QSvgRenderer renderer;
    renderer.setOptions(QtSvg::Tiny12FeaturesOnly);
    if (!renderer.load(content) || renderer.defaultSize().isEmpty())
        return failure(Kind::Invalid, tr("it is no SVG drawing"));
    const auto size = renderer.defaultSize().scaled(
        renderer.defaultSize().boundedTo(QSize(svgSide, svgSide)), Qt::KeepAspectRatio);
    QImage image(size.expandedTo(QSize(1, 1)), QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::transparent);
    QPainter painter(&image);
    renderer.render(&painter);
    return image;
}

Result<QImage> readImage(const QString& kind, const QByteArray& content)
{
    if (kind == u"svg"_s)
        return drawSvg(content);
    QBuffer buffer;
    buffer.setData(content);
    buffer.open(QIODevice::ReadOnly);
    QImageReader reader(&buffer, kind == u"jpg"_s ? "jpeg"_ba : kind.toLatin1());
    reader.setAutoDetectImageFormat(false);
    const auto size = reader.size();
    if (!size.isValid())
        return failure(Kind::Invalid, tr("it is no image of that kind"));
    if (qint64(size.width()) * size.height() > maxPixels)
        return failure(Kind::Limit,
            tr("the image is too large: %1 × %2 pixels").arg(size.width()).arg(size.height()));
    auto image = reader.read();
    if (image.isNull())
        return failure(Kind::Invalid, reader.errorString());
    return image;
}

Result<QWidget*> makeTable(const QByteArray& content, QWidget* parent)
{
    if (content.size() > maxTableBytes)
        return failure(Kind::Limit, tr("the table is too large"));
    const auto text = decodeText(content);
    if (!text)
        return std::unexpected(text.error());
    auto* page = new QWidget(parent);
    auto* rows = new QVBoxLayout(page);
    rows->setContentsMargins(0, 0, 0, 0);
    auto table = CsvText::parse(text->text);
    if (table.isCut)
        rows->addWidget(new QLabel(tr("Only the beginning is shown."), page));
    auto* view = new QTableView(page);
    view->setObjectName(u"tableView"_s);
    view->setAccessibleName(tr("Table"));
    view->setModel(new CsvTableModel(std::move(table), view));
    view->setAlternatingRowColors(true);
    view->setFrameShape(QFrame::NoFrame);
    view->horizontalHeader()->setMaximumSectionSize(400);
    view->verticalHeader()->setDefaultSectionSize(view->fontMetrics().height() + 8);
    rows->addWidget(view);
    page->setFocusProxy(view);
    return page;
}

} // namespace

bool hasViewer(const QString& fileName)
{
    static const QStringList kinds { u"png"_s, u"jpg"_s, u"jpeg"_s, u"gif"_s, u"svg"_s, u"csv"_s,
        u"tsv"_s };
    return kinds.contains(kindOf(fileName));
}

Result<QWidget*> makeViewer(const QString& fileName, const QByteArray& content, QWidget* parent)
{
    const auto kind = kindOf(fileName);
    Result<QWidget*> viewer = nullptr;
    if (isTable(kind)) {
        viewer = makeTable(content, parent);
    } else {
        auto image = readImage(kind, content);
        if (!image)
            return std::unexpected(image.error());
        viewer = new ImageView(std::move(*image), parent);
    }
    if (viewer)
        (*viewer)->setWindowTitle(printable(fileName));
    return viewer;
}

} // namespace isol8::ui
