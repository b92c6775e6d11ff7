// SPDX-License-Identifier: MIT
#include "ui/images/imagesdialog.h"

#include "engine/core/escape.h"
#include "engine/docker/client.h"
#include "ui/run/runsentences.h"

#include <QCloseEvent>
#include <QDialogButtonBox>
#include <QFontDatabase>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int maxLogLines = 5000;
constexpr int progressSteps = 1000;

QString ageText(const QDateTime& created)
{
    const auto days = created.daysTo(QDateTime::currentDateTime());
    if (days <= 0)
        return ImagesDialog::tr("today");
    if (days == 1)
        return ImagesDialog::tr("yesterday");
    return ImagesDialog::tr("%n days ago", nullptr, int(days));
}

} // namespace

ImagesDialog::ImagesDialog(
    std::shared_ptr<docker::Client> client, ImageSettings settings, QWidget* parent)
    : QDialog(parent)
    , m_service(new ImageService(std::move(client), std::move(settings), this))
    , m_table(new QTableWidget(0, 4, this))
    , m_step(new QLabel(this))
    , m_progress(new QProgressBar(this))
    , m_log(new QPlainTextEdit(this))
{
    setObjectName(u"imagesDialog"_s);
    setWindowTitle(tr("Images"));
    resize(700, 520);
    m_table->setObjectName(u"imageTable"_s);
    m_table->setAccessibleName(tr("Images"));
    m_table->setHorizontalHeaderLabels({ tr("Image"), tr("Size"), tr("Built"), tr("Packages") });
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setStretchLastSection(true);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->verticalHeader()->hide();
    m_table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setTabKeyNavigation(false);
    m_step->setObjectName(u"imageStep"_s);
    m_step->setTextFormat(Qt::PlainText);
    m_step->setWordWrap(true);
    m_progress->setAccessibleName(tr("Progress of the build"));
    m_progress->setTextVisible(false);
    m_progress->hide();
    m_log->setObjectName(u"imageLog"_s);
    m_log->setAccessibleName(tr("Log of the build"));
    m_log->setReadOnly(true);
    m_log->setMaximumBlockCount(maxLogLines);
    m_log->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_log->setPlaceholderText(tr("What the build says is shown here."));

    auto* box = new QDialogButtonBox(QDialogButtonBox::Close, this);
    const auto add = [box](const char* name, const QString& text) {
        auto* button = box->addButton(text, QDialogButtonBox::ActionRole);
        button->setObjectName(QLatin1StringView(name));
        return button;
    };
    m_build = add("imageBuild", tr("&Build"));
    m_rebuild = add("imageRebuild", tr("Build &anew"));
    m_remove = add("imageRemove", tr("&Remove…"));
    m_cancel = add("imageCancel", tr("&Cancel the build"));
    auto* rows = new QVBoxLayout(this);
    rows->addWidget(m_table, 3);
    rows->addWidget(m_step);
    rows->addWidget(m_progress);
    rows->addWidget(m_log, 2);
    rows->addWidget(box);

    connect(box, &QDialogButtonBox::rejected, this, &QDialog::close);
    connect(m_build, &QPushButton::clicked, this, [this] { buildSelected(Rebuild::IfChanged); });
    connect(m_rebuild, &QPushButton::clicked, this, [this] { buildSelected(Rebuild::Always); });
    connect(m_remove, &QPushButton::clicked, this, &ImagesDialog::askToRemove);
    connect(m_cancel, &QPushButton::clicked, m_service, &ImageService::cancel);
    connect(m_table, &QTableWidget::itemSelectionChanged, this, &ImagesDialog::updateButtons);
    connect(m_service, &ImageService::listed, this, &ImagesDialog::fill);
    connect(m_service, &ImageService::progressed, this, &ImagesDialog::handle);
    connect(m_service, &ImageService::built, this, [this](const QString& tag) {
        m_step->setText(tr("%1 is ready.").arg(tag));
        Q_EMIT changed();
    });
    connect(m_service, &ImageService::failed, this, [this](const Error& error) {
        const auto sentence = error.kind == Kind::Cancelled ? tr("Cancelled; nothing was changed.")
                                                            : failureSentence(error);
        m_step->setText(sentence);
        log(sentence);
    });
    connect(m_service, &ImageService::finished, this, [this] {
        m_progress->hide();
        updateButtons();
    });
    updateButtons();
    m_service->list();
}

void ImagesDialog::buildMissing()
{
    m_isBuildingMissing = true;
    m_service->list();
}

void ImagesDialog::fill(const QList<ImageRow>& rows)
{
    m_rows = rows;
    m_table->setRowCount(int(rows.size()));
    for (int i = 0; i < rows.size(); ++i) {
        const auto& row = rows[i];
        m_table->setItem(i, 0, new QTableWidgetItem(printable(row.tag)));
        m_table->setItem(
            i, 1, new QTableWidgetItem(row.isBuilt ? bytesText(row.sizeBytes) : QString()));
        m_table->setItem(
            i, 2, new QTableWidgetItem(row.isBuilt ? ageText(row.created) : tr("not built")));
        m_table->setItem(i, 3, new QTableWidgetItem(printable(row.packages.join(u", "_s))));
    }
    if (std::exchange(m_isBuildingMissing, false)) {
        for (const auto& row : rows) {
            if (row.runtime && !row.isBuilt)
                m_service->build(*row.runtime, Rebuild::IfChanged);
        }
    }
    updateButtons();
}

QList<ImageRow> ImagesDialog::selected() const
{
    QList<ImageRow> rows;
    for (const auto& index : m_table->selectionModel()->selectedRows())
        rows << m_rows[index.row()];
    return rows;
}

void ImagesDialog::buildSelected(Rebuild rebuild)
{
    for (const auto& row : selected()) {
        if (row.runtime)
            m_service->build(*row.runtime, rebuild);
    }
    updateButtons();
}

void ImagesDialog::askToRemove()
{
    QStringList tags;
    for (const auto& row : selected()) {
        if (row.isBuilt)
            tags << row.tag;
    }
    auto* question = new QMessageBox(QMessageBox::Warning, tr("Remove"),
        tr("Remove %1?").arg(tags.join(u", "_s)), QMessageBox::Yes | QMessageBox::Cancel, this);
    question->setObjectName(u"imageQuestion"_s);
    question->setTextFormat(Qt::PlainText);
    question->setAttribute(Qt::WA_DeleteOnClose);
    question->button(QMessageBox::Yes)->setText(tr("Remove"));
    connect(question, &QMessageBox::finished, this, [this, tags](int answer) {
        if (answer != QMessageBox::Yes)
            return;
        for (const auto& tag : tags)
            m_service->remove(tag);
        Q_EMIT changed();
    });
    question->open();
}

void ImagesDialog::handle(const ImageEvent& event)
{
    const auto text = printable(event.text);
    m_progress->show();
    const bool isKnown = event.kind == ImageEvent::Kind::Progress && event.totalBytes > 0;
    if (event.kind == ImageEvent::Kind::Progress || event.kind == ImageEvent::Kind::Step)
        m_progress->setRange(0, isKnown ? progressSteps : 0);
    if (isKnown)
        m_progress->setValue(
            int(double(event.currentBytes) / double(event.totalBytes) * progressSteps));
    if (event.kind == ImageEvent::Kind::Step)
        m_step->setText(text);
    if (!isKnown)
        log(text);
    updateButtons();
}

void ImagesDialog::log(const QString& line)
{
    m_log->appendPlainText(line);
}

void ImagesDialog::updateButtons()
{
    const auto rows = selected();
    const bool isBusy = m_service->isBusy();
    const bool canBuild
        = std::ranges::any_of(rows, [](const auto& row) { return row.runtime.has_value(); });
    m_build->setEnabled(canBuild && !isBusy);
    m_rebuild->setEnabled(canBuild && !isBusy);
    m_remove->setEnabled(
        !isBusy && std::ranges::any_of(rows, [](const auto& row) { return row.isBuilt; }));
    m_cancel->setEnabled(isBusy);
}

/// A build goes on until it is cancelled; the dialog comes back for it.
void ImagesDialog::closeEvent(QCloseEvent* event)
{
    if (m_service->isBusy()) {
        hide();
        event->ignore();
        return;
    }
    QDialog::closeEvent(event);
}

void ImagesDialog::reject()
{
    if (m_service->isBusy())
        hide();
    else
        QDialog::reject();
}

} // namespace isol8::ui
