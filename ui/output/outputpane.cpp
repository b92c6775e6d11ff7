// SPDX-License-Identifier: MIT
#include "ui/output/outputpane.h"

#include "ui/output/usagechart.h"
#include "ui/run/runcontroller.h"
#include "ui/run/runsentences.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QProgressBar>
#include <QPushButton>
#include <QSaveFile>
#include <QToolButton>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr int clockInterval = 100; // ms
constexpr int timeSteps = 1000;
} // namespace

OutputPane::OutputPane(RunController* runs, QWidget* parent)
    : QWidget(parent)
    , m_runs(runs)
    , m_view(new OutputView(this))
{
    setObjectName(u"outputPane"_s);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);
    rows->addWidget(makeHeader());
    rows->addWidget(m_view, 1);
    rows->addWidget(makeSearchRow());
    rows->addWidget(makeInputRow());
    m_view->setFrameShape(QFrame::NoFrame);
    m_searchRow->hide();
    m_inputRow->hide();

    m_clock.setInterval(clockInterval);
    connect(&m_clock, &QTimer::timeout, this, &OutputPane::showTime);
    connect(m_view, &OutputView::followingChanged, m_follow, &QToolButton::setChecked);
    connect(m_follow, &QToolButton::toggled, m_view, &OutputView::setFollowing);
    connect(runs, &RunController::started, this, &OutputPane::begin);
    connect(runs, &RunController::outputReceived, m_view, &OutputView::append);
    connect(runs, &RunController::usageReported, this, [this](const RunUsage& usage) {
        m_usage->add(usage);
        m_usage->show();
    });
    connect(runs, &RunController::finished, this, &OutputPane::end);
}

QWidget* OutputPane::makeHeader()
{
    auto* header = new QWidget(this);
    m_status = new QLabel(tr("Nothing has run yet. F5 runs the text in front."), header);
    m_status->setObjectName(u"outputStatus"_s);
    m_status->setTextFormat(Qt::PlainText);
    m_status->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_status->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_time = new QProgressBar(header);
    m_time->setObjectName(u"outputTime"_s);
    m_time->setAccessibleName(tr("Time that has passed, of the limit"));
    m_time->setTextVisible(false);
    m_time->setFixedSize(90, 6);
    m_time->setRange(0, timeSteps);
    m_usage = new UsageChart(header);

    auto* row = new QHBoxLayout(header);
    row->setContentsMargins(8, 3, 6, 3);
    row->setSpacing(6);
    row->addWidget(m_status, 1);
    row->addWidget(m_time);
    row->addWidget(m_usage);
    const auto add = [this, header, row](
                         const QString& icon, const QString& name, const QString& text, auto act) {
        auto* button = new QToolButton(header);
        button->setObjectName(name);
        button->setToolTip(text);
        button->setAccessibleName(text);
        button->setAutoRaise(true);
        row->addWidget(button);
        m_buttons.append({ button, icon });
        connect(button, &QToolButton::clicked, this, act);
        return button;
    };
    m_follow = add(u"follow"_s, u"outputFollow"_s, tr("Follow the end"), [] { });
    m_follow->setCheckable(true);
    m_follow->setChecked(true);
    add(u"search"_s, u"outputSearch"_s, tr("Search the output"), [this] { openSearch(); });
    add(u"copy"_s, u"outputCopy"_s, tr("Copy all output"),
        [this] { QApplication::clipboard()->setText(m_view->text()); });
    add(u"save"_s, u"outputSave"_s, tr("Save the output…"), [this] { saveAll(); });
    add(u"clear"_s, u"outputClear"_s, tr("Clear the output"), [this] { m_view->clear(); });
    applyIcons();
    m_time->hide();
    m_usage->hide();
    return header;
}

void OutputPane::applyIcons()
{
    for (const auto& [button, icon] : m_buttons)
        button->setIcon(actionIcon(icon, QApplication::palette())); // Ours follows later.
}

QWidget* OutputPane::makeSearchRow()
{
    m_searchRow = new QWidget(this);
    m_searchText = new QLineEdit(m_searchRow);
    m_searchText->setObjectName(u"outputSearchText"_s);
    m_searchText->setPlaceholderText(tr("Search the output"));
    m_searchText->setAccessibleName(tr("Search the output"));
    m_searchText->setClearButtonEnabled(true);
    m_searchText->installEventFilter(this);
    m_searchMessage = new QLabel(m_searchRow);
    auto* next = new QPushButton(tr("&Next"), m_searchRow);
    auto* previous = new QPushButton(tr("&Previous"), m_searchRow);
    auto* row = new QHBoxLayout(m_searchRow);
    row->setContentsMargins(8, 3, 8, 3);
    row->addWidget(m_searchText, 1);
    row->addWidget(m_searchMessage);
    row->addWidget(previous);
    row->addWidget(next);
    connect(next, &QPushButton::clicked, this, [this] { search(SearchDirection::Forward); });
    connect(previous, &QPushButton::clicked, this, [this] { search(SearchDirection::Backward); });
    return m_searchRow;
}

QWidget* OutputPane::makeInputRow()
{
    m_inputRow = new QWidget(this);
    m_inputRow->setObjectName(u"inputRow"_s);
    m_input = new QLineEdit(m_inputRow);
    m_input->setObjectName(u"inputLine"_s);
    m_input->setPlaceholderText(tr("Standard input: Enter sends a line, Ctrl+D ends it"));
    m_input->setAccessibleName(tr("Standard input"));
    m_input->installEventFilter(this);
    auto* send = new QPushButton(tr("Send"), m_inputRow);
    send->setObjectName(u"inputSend"_s);
    auto* end = new QPushButton(tr("End of input"), m_inputRow);
    end->setObjectName(u"inputEnd"_s);
    end->setToolTip(tr("The program reads the end of its input (Ctrl+D)"));
    auto* row = new QHBoxLayout(m_inputRow);
    row->setContentsMargins(8, 3, 8, 3);
    row->addWidget(m_input, 1);
    row->addWidget(send);
    row->addWidget(end);
    connect(m_input, &QLineEdit::returnPressed, this, &OutputPane::sendInput);
    connect(send, &QPushButton::clicked, this, &OutputPane::sendInput);
    connect(end, &QPushButton::clicked, this, &OutputPane::endInput);
    return m_inputRow;
}

void OutputPane::setInputVisible(bool isVisible)
{
    if (!isVisible && m_input->hasFocus())
        m_view->setFocus();
    m_inputRow->setVisible(isVisible);
    m_inputRow->setEnabled(isVisible);
    m_input->clear();
}

void OutputPane::begin(const RunJob& job)
{
    m_view->clear();
    m_usage->begin(job.options);
    m_usage->hide();
    m_time->setValue(0);
    m_time->show();
    setInputVisible(job.request.isStdinLive);
    m_clock.start();
    showTime();
}

void OutputPane::showTime()
{
    const auto& job = m_runs->job();
    const auto limit = job.request.timeout.value_or(job.options.timeout);
    const auto elapsed = m_runs->elapsed();
    m_time->setValue(int(std::min<qint64>(timeSteps, elapsed.count() * timeSteps / limit.count())));
    m_status->setText(
        tr("%1 is running: %2 of %3").arg(job.title, timeText(elapsed), timeText(limit)));
}

void OutputPane::end(const Result<ExecutionResult>& result)
{
    m_clock.stop();
    m_time->hide();
    m_usage->hide();
    setInputVisible(false);
    const auto& options = m_runs->job().options;
    const auto sentence = endSentence(result, options);
    if (result) {
        for (const auto& note : endNotes(*result, options))
            m_view->appendNote(note);
    }
    m_view->appendNote(sentence.text);
    m_status->setText(sentence.text);
    m_status->setToolTip(sentence.text);
}

void OutputPane::sendInput()
{
    const auto line = m_input->text() + u'\n';
    m_runs->writeStdin(line.toUtf8());
    m_view->append(Channel::Stdout, line.toUtf8());
    m_input->clear();
}

void OutputPane::endInput()
{
    if (!m_input->text().isEmpty())
        sendInput();
    m_runs->closeStdin();
    setInputVisible(false);
}

void OutputPane::openSearch()
{
    m_searchRow->show();
    const auto selected = m_view->selectedText();
    if (!selected.isEmpty() && !selected.contains(u'\n'))
        m_searchText->setText(selected);
    m_searchText->setFocus();
    m_searchText->selectAll();
}

void OutputPane::search(SearchDirection direction)
{
    const bool isFound = m_view->find(m_searchText->text(), direction);
    m_searchMessage->setText(
        isFound || m_searchText->text().isEmpty() ? QString() : tr("Not found"));
}

void OutputPane::saveAll()
{
    auto* dialog = new QFileDialog(this, tr("Save the output"), u"output.txt"_s);
    dialog->setObjectName(u"outputDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->selectFile(u"output.txt"_s);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        QSaveFile file(path);
        const auto bytes = m_view->text().toUtf8();
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
            Q_EMIT failed(tr("%1 cannot be written: %2").arg(path, file.errorString()));
    });
    dialog->open();
}

bool OutputPane::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() != QEvent::KeyPress && event->type() != QEvent::ShortcutOverride)
        return QWidget::eventFilter(watched, event);
    const auto* key = static_cast<QKeyEvent*>(event);
    const bool isEndOfInput
        = watched == m_input && key->key() == Qt::Key_D && key->modifiers() == Qt::ControlModifier;
    if (event->type() == QEvent::ShortcutOverride) {
        if (isEndOfInput)
            event->accept();
        return isEndOfInput;
    }
    if (isEndOfInput) {
        endInput();
        return true;
    }
    if (watched == m_searchText && (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter)) {
        search(key->modifiers() & Qt::ShiftModifier ? SearchDirection::Backward
                                                    : SearchDirection::Forward);
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

void OutputPane::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape && m_searchRow->isVisible()) {
        m_searchRow->hide();
        m_view->setFocus();
        return;
    }
    QWidget::keyPressEvent(event);
}

void OutputPane::contextMenuEvent(QContextMenuEvent* event)
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    auto* copy = menu->addAction(tr("&Copy"), m_view, &OutputView::copy);
    copy->setEnabled(m_view->hasSelection());
    menu->addAction(tr("Select &all"), m_view, &OutputView::selectAll);
    menu->addSeparator();
    menu->addAction(tr("&Search…"), this, &OutputPane::openSearch);
    menu->addAction(tr("Sa&ve…"), this, &OutputPane::saveAll);
    menu->addAction(tr("C&lear"), m_view, &OutputView::clear);
    menu->popup(event->globalPos());
}

} // namespace isol8::ui
