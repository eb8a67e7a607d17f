<?php
// sabre/dav as a CalDAV server, as its own examples set it up: SABRE_DB is its SQLite file, SABRE_AUTH basic or digest.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);  // it was written for PHP 5
ini_set('display_errors', '0');
date_default_timezone_set('UTC');
require_once 'Sabre/autoload.php';

$pdo = new \PDO('sqlite:' . getenv('SABRE_DB'));
$pdo->setAttribute(\PDO::ATTR_ERRMODE, \PDO::ERRMODE_EXCEPTION);
$pdo->exec('PRAGMA busy_timeout=20000');

class Basic extends \Sabre\DAV\Auth\Backend\AbstractBasic
{
    private $pdo;

    public function __construct($pdo)
    {
        $this->pdo = $pdo;
    }

    protected function validateUserPass($user, $password)
    {
        $known = $this->pdo->prepare('SELECT digesta1 FROM users WHERE username = ?');
        $known->execute(array($user));
        return $known->fetchColumn() === md5("$user:SabreDAV:$password");
    }
}

$login = getenv('SABRE_AUTH') === 'digest' ? new \Sabre\DAV\Auth\Backend\PDO($pdo) : new Basic($pdo);
$principals = new \Sabre\DAVACL\PrincipalBackend\PDO($pdo);
$calendars = new \Sabre\CalDAV\Backend\PDO($pdo);
$server = new \Sabre\DAV\Server(array(
    new \Sabre\CalDAV\Principal\Collection($principals),
    new \Sabre\CalDAV\CalendarRootNode($principals, $calendars),
));
$server->setBaseUri('/');
$server->addPlugin(new \Sabre\DAV\Auth\Plugin($login, 'SabreDAV'));
$server->addPlugin(new \Sabre\DAVACL\Plugin());
$server->addPlugin(new \Sabre\CalDAV\Plugin());
$server->exec();
